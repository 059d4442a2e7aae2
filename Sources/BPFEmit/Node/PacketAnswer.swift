/// What the datapath does with one packet.
public struct PacketAnswer: Hashable, Sendable {
    /// The policy's answer.
    public var verdict: PolicyVerdict
    /// `enum np_reason` the packet was counted under.
    public var reason: UInt8

    /// An answer.
    public init(verdict: PolicyVerdict, reason: UInt8) {
        self.verdict = verdict
        self.reason = reason
    }
}
