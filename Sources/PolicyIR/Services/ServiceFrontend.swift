public import NetTypes
public import PolicyAPI

/// An address, port and protocol by which pods of a node reach a Service, with the backends that may be chosen there.
public struct ServiceFrontend: Hashable, Sendable {
    /// What kind of address it is.
    public enum Kind: String, Hashable, CaseIterable, Sendable {
        /// `spec.clusterIPs`.
        case clusterIP = "cluster IP"
        /// `spec.externalIPs`.
        case externalIP = "external IP"
        /// `status.loadBalancer.ingress`.
        case loadBalancer = "load balancer IP"
        /// A port of a node.
        case nodePort = "node port"
        /// The address of a DNS cache on the node, which stands for the DNS Service.
        case nodeLocalDNS = "node-local DNS"
    }

    /// The address.
    public var address: IPAddress
    /// The port, host order.
    public var port: UInt16
    /// TCP, UDP or SCTP.
    public var `protocol`: L4Protocol
    /// What kind of address it is.
    public var kind: Kind
    /// The Service.
    public var service: ServiceName
    /// The name of the Service's port, empty for none.
    public var portName: String
    /// Where the Service is written.
    public var location: SourceLocation?
    /// How long a client stays with its backend, in seconds; 0: each connection is chosen for.
    public var affinitySeconds: UInt32
    /// Those that may be chosen, sorted; none: connections are refused.
    public var backends: [ServiceBackend]

    /// A frontend.
    public init(
        address: IPAddress, port: UInt16, protocol: L4Protocol, kind: Kind, service: ServiceName, portName: String = "",
        location: SourceLocation? = nil, affinitySeconds: UInt32 = 0, backends: [ServiceBackend]
    ) {
        self.address = address
        self.port = port
        self.protocol = `protocol`
        self.kind = kind
        self.service = service
        self.portName = portName
        self.location = location
        self.affinitySeconds = affinitySeconds
        self.backends = backends
    }

    /// What two frontends cannot have in common.
    public struct Key: Hashable, Comparable, Sendable {
        /// The address.
        public var address: IPAddress
        /// The port, host order.
        public var port: UInt16
        /// TCP, UDP or SCTP.
        public var `protocol`: L4Protocol

        /// A key.
        public init(address: IPAddress, port: UInt16, protocol: L4Protocol) {
            self.address = address
            self.port = port
            self.protocol = `protocol`
        }

        /// By address, port, protocol.
        public static func < (left: Key, right: Key) -> Bool {
            if left.address != right.address { return left.address < right.address }
            return (left.port, left.protocol) < (right.port, right.protocol)
        }
    }

    /// What names it.
    public var key: Key { Key(address: address, port: port, protocol: `protocol`) }
}
