public import NetTypes

/// One element of `spec.ports` of a Service.
public struct ServicePort: Hashable, Sendable {
    /// The port of a Service's pods.
    public enum Target: Hashable, Sendable {
        /// A port number; the Service's own when `targetPort` is absent.
        case number(UInt16)
        /// A container port's name.
        case named(String)
    }

    /// TCP when absent.
    public var `protocol`: L4Protocol
    /// `port`: used by clients of the Service. Policies see the pod's port instead.
    public var port: UInt16
    /// `targetPort`: the pod's.
    public var target: Target

    /// A service port.
    public init(protocol: L4Protocol, port: UInt16, target: Target) {
        self.protocol = `protocol`
        self.port = port
        self.target = target
    }
}

/// The fields of a v1 Service that policies and lint checks use.
public struct Service: Hashable, Sendable {
    /// Name, namespace and labels.
    public var metadata: ObjectMeta
    /// `spec.selector`; empty for a service without one.
    public var selector: [String: String]
    /// `spec.ports`, those that can be read.
    public var ports: [ServicePort]
    /// `spec.clusterIPs` that are addresses.
    public var clusterIPs: [IPAddress]

    /// A service.
    public init(
        metadata: ObjectMeta, selector: [String: String], ports: [ServicePort] = [], clusterIPs: [IPAddress] = []
    ) {
        self.metadata = metadata
        self.selector = selector
        self.ports = ports
        self.clusterIPs = clusterIPs
    }
}

/// A discovery.k8s.io/v1 EndpointSlice: addresses of a service without selector.
public struct EndpointSlice: Hashable, Sendable {
    /// Name and namespace.
    public var metadata: ObjectMeta
    /// The label `kubernetes.io/service-name`.
    public var serviceName: String
    /// Addresses of all endpoints.
    public var addresses: [IPAddress]

    /// A slice.
    public init(metadata: ObjectMeta, serviceName: String, addresses: [IPAddress]) {
        self.metadata = metadata
        self.serviceName = serviceName
        self.addresses = addresses
    }
}
