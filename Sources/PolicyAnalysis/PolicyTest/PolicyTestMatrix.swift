public import NetTypes
public import PolicyAPI

/// One protocol and port between all pods: which ordered pairs are denied. The others are allowed.
public struct PolicyTestMatrix: Hashable, Sendable {
    /// The transport protocol.
    public var `protocol`: L4Protocol
    /// The destination port or ICMP type.
    public var port: UInt16
    /// The pairs that do not get through.
    public var denied: Set<Pair>
    /// Where it is written.
    public var location: SourceLocation

    /// A sender and a receiver, each `namespace/name`.
    public struct Pair: Hashable, Sendable {
        /// The sender.
        public var from: String
        /// The receiver.
        public var to: String

        /// A pair.
        public init(from: String, to: String) {
            self.from = from
            self.to = to
        }
    }
}
