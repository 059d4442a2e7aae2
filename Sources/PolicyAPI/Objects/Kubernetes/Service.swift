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

    /// `name`, empty for none: endpoints belong to a port by it.
    public var name: String
    /// TCP when absent.
    public var `protocol`: L4Protocol
    /// `port`: used by clients of the Service. Policies see the pod's port instead.
    public var port: UInt16
    /// `targetPort`: the pod's. Only the endpoints that are derived from pods follow it; EndpointSlices name the port itself.
    public var target: Target
    /// `nodePort`: at the addresses of nodes; `nil` for none.
    public var nodePort: UInt16?

    /// A service port.
    public init(
        name: String = "", protocol: L4Protocol, port: UInt16, target: Target, nodePort: UInt16? = nil
    ) {
        self.name = name
        self.protocol = `protocol`
        self.port = port
        self.target = target
        self.nodePort = nodePort
    }
}

/// A v1 Service: where it can be reached and which of its endpoints may be chosen there.
public struct Service: Hashable, Sendable {
    /// `spec.type`.
    public enum Kind: Hashable, Sendable {
        /// Reached at its cluster IPs, if it is not headless.
        case clusterIP
        /// At ports of all nodes besides.
        case nodePort
        /// At the addresses of a load balancer besides.
        case loadBalancer
        /// A DNS alias for this name: nothing is translated. Lower case, without a final dot.
        case externalName(String)
    }

    /// `spec.internalTrafficPolicy` and `spec.externalTrafficPolicy`.
    public enum TrafficPolicy: Hashable, Sendable {
        /// All endpoints.
        case cluster
        /// Endpoints of the node that translates.
        case local
    }

    /// Name, namespace and labels.
    public var metadata: ObjectMeta
    /// `spec.selector`; empty for a service without one.
    public var selector: [String: String]
    /// `spec.ports`, those that can be read.
    public var ports: [ServicePort]
    /// `spec.clusterIPs` that are addresses.
    public var clusterIPs: [IPAddress]
    /// `spec.type`.
    public var kind: Kind
    /// `clusterIP: None`: its DNS name gives the addresses of its endpoints.
    public var isHeadless: Bool
    /// `spec.externalIPs`.
    public var externalIPs: [IPAddress]
    /// `status.loadBalancer.ingress` with an address that nodes translate (`ipMode` VIP or absent). Packets to one in mode
    /// Proxy go to the load balancer.
    public var loadBalancerIPs: [IPAddress]
    /// Whether `spec.loadBalancerSourceRanges` lets only some clients use those.
    public var hasSourceRanges: Bool
    /// `spec.sessionAffinityConfig.clientIP.timeoutSeconds` under `sessionAffinity: ClientIP`; 0 without affinity.
    public var affinitySeconds: UInt32
    /// `spec.internalTrafficPolicy`.
    public var internalPolicy: TrafficPolicy
    /// `spec.externalTrafficPolicy`.
    public var externalPolicy: TrafficPolicy
    /// `spec.publishNotReadyAddresses`: endpoints count as ready whatever their pods say. In an EndpointSlice they say so themselves.
    public var publishesNotReady: Bool
    /// `spec.trafficDistribution`, empty for none. Nodes follow the hints in EndpointSlices that come from it.
    public var trafficDistribution: String
    /// Whether netpold has made up the cluster IPs, because the manifest has none.
    public var isSynthetic: Bool
    /// Whether policies do not know which pods or addresses it stands for: it was refused, or is defined several times and not the same.
    /// Where no label could be read it may have any, and any namespace where it has none.
    public var isUnknown = false

    /// A service.
    public init(
        metadata: ObjectMeta, selector: [String: String], ports: [ServicePort] = [], clusterIPs: [IPAddress] = [],
        kind: Kind = .clusterIP, isHeadless: Bool = false
    ) {
        self.metadata = metadata
        self.selector = selector
        self.ports = ports
        self.clusterIPs = clusterIPs
        self.kind = kind
        self.isHeadless = isHeadless
        externalIPs = []
        loadBalancerIPs = []
        hasSourceRanges = false
        affinitySeconds = 0
        internalPolicy = .cluster
        externalPolicy = .cluster
        publishesNotReady = false
        trafficDistribution = ""
        isSynthetic = false
    }

    /// A service that was refused.
    public init(unknown metadata: ObjectMeta) {
        self.init(metadata: metadata, selector: [:])
        isUnknown = true
    }

    /// `namespace/name`.
    public var qualifiedName: String { "\(metadata.namespace)/\(metadata.name)" }

    /// Whether nodes translate its addresses: it is no alias, not headless, and not the business of another proxy.
    public var isTranslated: Bool {
        if case .externalName = kind { return false }
        return !isHeadless && !isOfOtherProxy
    }

    /// Whether the label `service.kubernetes.io/service-proxy-name` gives the Service to another proxy.
    public var isOfOtherProxy: Bool { metadata.labels["service.kubernetes.io/service-proxy-name"] != nil }

    /// Whether its selector is met by a pod's labels; never without a selector.
    public func selects(_ pod: Pod) -> Bool {
        !selector.isEmpty && pod.metadata.namespace == metadata.namespace
            && selector.allSatisfy { pod.metadata.labels[$0.key] == $0.value }
    }
}
