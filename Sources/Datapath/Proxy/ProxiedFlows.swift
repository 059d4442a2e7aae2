import CNetpoldABI
public import NetTypes
import Support

/// What both sides' policies say of flows that the proxy carries: np_proxied, as it is pinned.
///
/// Safe to use from any thread; a question is one system call a side.
public final class ProxiedFlows: Sendable {
    /// An end of a connection.
    public struct End: Hashable, Sendable {
        /// The address.
        public var address: IPAddress
        /// The port.
        public var port: UInt16

        /// An end.
        public init(_ address: IPAddress, _ port: UInt16) {
            self.address = address
            self.port = port
        }
    }

    /// What one side's policy says.
    public struct Side: Hashable, Sendable {
        /// The policy, as the proxy's rules number it, and the numbers of its rules that matched; `nil` when policy allows everything of
        /// the flow by now.
        public var rules: (policy: UInt32, numbers: [UInt32])? { isAllowed ? nil : (policy, Side.numbers(of: bits)) }
        /// Whether policy allows everything of the flow by now.
        public var isAllowed: Bool
        /// Whether this side's pod sends the flow to the proxy.
        public var redirects: Bool
        /// Whether the server has answered the proxy; of the client's side.
        public var isConnected: Bool
        /// Whether the server's side has rules as well; of the client's side.
        public var hasServerSide: Bool
        /// The pod's slot.
        public var slot: UInt32
        /// The revision of its policies that was asked.
        public var revision: UInt32
        /// Who the other end is.
        public var remoteIdentity: UInt32
        private var policy: UInt32
        private var bits: UInt64

        init(_ side: np_proxied_side) {
            isAllowed = side.flags & UInt32(NP_PROXIED_ALLOWED) != 0
            redirects = side.flags & UInt32(NP_PROXIED_REDIRECTS) != 0
            isConnected = side.flags & UInt32(NP_PROXIED_CONNECTED) != 0
            hasServerSide = side.flags & UInt32(NP_PROXIED_BOTH) != 0
            slot = side.endpoint
            revision = side.revision
            remoteIdentity = side.remote_identity
            policy = side.base
            bits = side.rules
        }

        private static func numbers(of bits: UInt64) -> [UInt32] {
            (0..<UInt32(NP_BITS_PER_WORD)).filter { bits >> UInt64($0) & 1 == 1 }
        }
    }

    /// For how long the map is taken to be the one that is pinned, ns: looking costs half of what a question does.
    private static let trust: UInt64 = 10_000_000
    private let map: Pinned<BPFMap>

    /// Opens what an instance has pinned, and again when an agent has put another map there.
    ///
    /// - Throws: when it has no such map, or one of another layout.
    public convenience init(instance: String) throws(BPFError) {
        try self.init(folder: try PinPath(instance: instance).folder)
    }

    /// Those of an instance's pins.
    init(folder: String) throws(BPFError) {
        map = Pinned(
            map: "np_proxied", in: folder, key: MemoryLayout<np_proxied_key>.size,
            value: MemoryLayout<np_proxied_side>.size)
        _ = try map.current()
    }

    /// What the sides say of a connection; `nil` for one that says nothing. A flow that neither knows is not to be carried.
    ///
    /// The server's side is there when the connection to the server is, at the latest, if that is a pod of this node with L7 rules.
    public func sides(client: End, server: End) throws(BPFError) -> (client: Side?, server: Side?) {
        let known = try map.current(within: ProxiedFlows.trust)
        let sides = try ProxiedFlows.sides(known, client, server)
        // What one map does not know the one that has come may.
        guard sides.client == nil, sides.server == nil else { return sides }
        let current = try map.current()
        return current === known ? sides : try ProxiedFlows.sides(current, client, server)
    }

    private static func sides(
        _ map: BPFMap, _ client: End, _ server: End
    ) throws(BPFError) -> (client: Side?, server: Side?) {
        (try side(map, NP_EGRESS, client, server), try side(map, NP_INGRESS, client, server))
    }

    private static func side(
        _ map: BPFMap, _ side: np_direction, _ client: End, _ server: End
    ) throws(BPFError) -> Side? {
        let key = np_proxied_key(
            client: np_address(client.address), server: np_address(server.address),
            client_port: client.port.bigEndian, server_port: server.port.bigEndian, side: side.rawValue)
        return try map.value(of: key, initial: np_proxied_side()).map(Side.init)
    }
}
