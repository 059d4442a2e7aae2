/// What happened to a packet, with everything resolved to names.
public struct FlowVerdict: Hashable, Codable, Sendable {
    /// One end of the flow.
    public struct End: Hashable, Codable, Sendable {
        /// The address in text form.
        public var address: String
        /// The port; `nil` for protocols without.
        public var port: UInt16?
        /// `namespace/name` of the pod that owns the address.
        public var pod: String?
        /// For what is not a pod: what its identity stands for, for example `world` or `host`.
        public var identity: String?

        /// An end.
        public init(address: String, port: UInt16?, pod: String?, identity: String?) {
            self.address = address
            self.port = port
            self.pod = pod
            self.identity = identity
        }

        private enum CodingKeys: String, CodingKey {
            case address = "address"
            case port = "port"
            case pod = "pod"
            case identity = "identity"
        }
    }

    /// A rule or a policy, and where it is written.
    public struct Rule: Hashable, Codable, Sendable {
        /// `NetworkPolicy shop/allow-web`.
        public var object: String
        /// `spec.ingress[0]`, or empty.
        public var path: String
        /// `policy.yaml:12:5`, or `nil`.
        public var place: String?

        /// A rule.
        public init(object: String, path: String, place: String?) {
            self.object = object
            self.path = path
            self.place = place
        }

        private enum CodingKeys: String, CodingKey {
            case object = "object"
            case path = "path"
            case place = "place"
        }
    }

    /// A request that the proxy did not allow. Values of the query of its path are in no verdict, as in no log.
    public struct Request: Hashable, Codable, Sendable {
        /// `GET`, `POST`, ...
        public var method: String
        /// The host that it asks for.
        public var host: String
        /// The path, without the values of its query.
        public var path: String
        /// What it was answered with.
        public var status: Int

        /// A request.
        public init(method: String, host: String, path: String, status: Int) {
            self.method = method
            self.host = host
            self.path = path
            self.status = status
        }

        private enum CodingKeys: String, CodingKey {
            case method = "method"
            case host = "host"
            case path = "path"
            case status = "status"
        }
    }

    /// When the packet was judged: milliseconds since 1970.
    public var timeMilliseconds: UInt64
    /// Whether the packet was dropped.
    public var isDrop: Bool
    /// `ingress` or `egress`.
    public var direction: String
    /// The pod at whose veth this happened.
    public var subject: String
    /// Where the packet came from.
    public var source: End
    /// Where it went.
    public var destination: End
    /// `TCP`, `UDP`, ...
    public var `protocol`: String
    /// ICMP type, for ICMP.
    public var icmpType: UInt16?
    /// Name of the reason in netpold_abi.h, or its number.
    public var reason: String
    /// The reason in words.
    public var sentence: String
    /// The rule that decided.
    public var rule: Rule?
    /// For a default deny: the policies that isolate the pod.
    public var isolatedBy: [Rule]
    /// The name for which the packet was refused: of a DNS query, or the TLS server name. Empty: the connection has none.
    public var name: String?
    /// The request that was not allowed.
    public var request: Request?
    /// For a default deny, a refused name and a request: the rule that came nearest and why it does not match.
    public var nearestMiss: String?
    /// Revision of the endpoint.
    public var revision: UInt32
    /// Packet length, bytes.
    public var length: UInt16

    private enum CodingKeys: String, CodingKey {
        case timeMilliseconds = "timeMilliseconds"
        case isDrop = "isDrop"
        case direction = "direction"
        case subject = "subject"
        case source = "source"
        case destination = "destination"
        case `protocol` = "protocol"
        case icmpType = "icmpType"
        case reason = "reason"
        case sentence = "sentence"
        case rule = "rule"
        case isolatedBy = "isolatedBy"
        case name = "name"
        case request = "request"
        case nearestMiss = "nearestMiss"
        case revision = "revision"
        case length = "length"
    }
}
