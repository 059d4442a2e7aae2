public import NetTypes

/// One element of `ports` of an EndpointSlice.
public struct EndpointPort: Hashable, Sendable {
    /// `name`: of the Service's port that it stands for; empty for none.
    public var name: String
    /// TCP when absent.
    public var `protocol`: L4Protocol
    /// The endpoints' own port.
    public var port: UInt16

    /// A port.
    public init(name: String = "", protocol: L4Protocol, port: UInt16) {
        self.name = name
        self.protocol = `protocol`
        self.port = port
    }
}

/// One element of `endpoints` of an EndpointSlice.
public struct ServiceEndpoint: Hashable, Sendable {
    /// `addresses`, those that can be read. Nodes use the first alone.
    public var addresses: [IPAddress]
    /// `conditions.ready`, true when absent.
    public var isReady: Bool
    /// `conditions.serving`, true when absent.
    public var isServing: Bool
    /// `conditions.terminating`, false when absent.
    public var isTerminating: Bool
    /// `nodeName`, empty for none.
    public var nodeName: String
    /// `zone`, empty for none.
    public var zone: String
    /// `hints.forZones`: the zones whose clients should use the endpoint; empty for no hints.
    public var zoneHints: Set<String>
    /// `hints.forNodes`.
    public var nodeHints: Set<String>
    /// Where the endpoint is written.
    public var location: SourceLocation?

    /// An endpoint.
    public init(
        addresses: [IPAddress], isReady: Bool = true, isServing: Bool = true, isTerminating: Bool = false,
        nodeName: String = "", zone: String = "", zoneHints: Set<String> = [], nodeHints: Set<String> = [],
        location: SourceLocation? = nil
    ) {
        self.addresses = addresses
        self.isReady = isReady
        self.isServing = isServing
        self.isTerminating = isTerminating
        self.nodeName = nodeName
        self.zone = zone
        self.zoneHints = zoneHints
        self.nodeHints = nodeHints
        self.location = location
    }
}

/// A discovery.k8s.io/v1 EndpointSlice: endpoints of a Service.
public struct EndpointSlice: Hashable, Sendable {
    /// Name, namespace and labels.
    public var metadata: ObjectMeta
    /// The label `kubernetes.io/service-name`.
    public var serviceName: String
    /// The endpoints; none for a slice of DNS names.
    public var endpoints: [ServiceEndpoint]
    /// The ports that all of them have.
    public var ports: [EndpointPort]
    /// Whether policies do not know its addresses: it was refused, or is defined several times and not the same. Without `serviceName` it may
    /// be of any Service of its namespace, and without that of any namespace.
    public var isUnknown = false

    /// A slice.
    public init(
        metadata: ObjectMeta, serviceName: String, endpoints: [ServiceEndpoint] = [], ports: [EndpointPort] = []
    ) {
        self.metadata = metadata
        self.serviceName = serviceName
        self.endpoints = endpoints
        self.ports = ports
    }

    /// A slice that was refused.
    public init(unknown metadata: ObjectMeta) {
        self.init(metadata: metadata, serviceName: metadata.labels[EndpointSlice.serviceLabel] ?? "")
        isUnknown = true
    }

    /// The label that names the Service.
    static let serviceLabel = "kubernetes.io/service-name"

    /// A slice of ready endpoints, one for each address.
    public init(metadata: ObjectMeta, serviceName: String, addresses: [IPAddress]) {
        self.init(
            metadata: metadata, serviceName: serviceName, endpoints: addresses.map { ServiceEndpoint(addresses: [$0]) })
    }

    /// Addresses of all endpoints, whatever their conditions.
    public var addresses: [IPAddress] { endpoints.flatMap(\.addresses) }

    /// The addresses that it gives the API server: those of a slice of the Service `default/kubernetes`, unless they are not known.
    public var apiServerAddresses: [IPAddress] {
        !isUnknown && metadata.namespace == "default" && serviceName == "kubernetes" ? addresses : []
    }

    /// Whether it is known of which Service it is, and what it says of it.
    public var hasEndpoints: Bool { !serviceName.isEmpty && !(isUnknown && endpoints.isEmpty) }

    /// Whether nodes look at it: it is not for a headless Service or another proxy by its labels.
    public var isTranslated: Bool {
        metadata.labels["service.kubernetes.io/headless"] == nil
            && metadata.labels["service.kubernetes.io/service-proxy-name"] == nil
    }
}
