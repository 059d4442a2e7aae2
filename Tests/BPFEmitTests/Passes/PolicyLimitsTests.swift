import Testing

@testable import BPFEmit

@Suite("Pass: check limits")
struct PolicyLimitsTests {
    private static func policy(_ count: Int, hostBit: Int? = nil, peers: [(UInt32, [UInt64])] = []) -> PolicyBits {
        PolicyExamples.policy((0..<count).map { PolicyExamples.bit($0) }, hostBit: hostBit, peers: peers)
    }

    @Test("what just fits passes: no bits, a full last word, the host bit as the last of all, zero words behind")
    func fits() throws {
        try PolicyLimits.check(Self.policy(0))
        try PolicyLimits.check(Self.policy(64, peers: [(5, [.max])]))
        try PolicyLimits.check(Self.policy(63, hostBit: 63, peers: [(5, [.max]), (6, [1])]))
        try PolicyLimits.check(Self.policy(4096, peers: [(5, Array(repeating: .max, count: 64))]))
        try PolicyLimits.check(Self.policy(4095, hostBit: 4095))
        try PolicyLimits.check(Self.policy(3, peers: [(5, [0b111, 0, 0])]))
    }

    /// A policy, and why it is refused.
    static let refused: [(PolicyBits, EmitError)] = [
        (policy(4097), .tooManyRules(bits: 4097, limit: 4096)),
        (policy(4096, hostBit: 4096), .tooManyRules(bits: 4097, limit: 4096)),
        (policy(3, hostBit: 2), .misplacedHostBit(2, expected: 3)),
        (policy(3, hostBit: 4), .misplacedHostBit(4, expected: 3)),
        (policy(3, peers: [(5, [1]), (5, [2])]), .unsortedPeers(identity: 5)),
        (policy(3, peers: [(6, [1]), (5, [2])]), .unsortedPeers(identity: 5)),
        (policy(3, peers: [(5, [0b1000])]), .strayPeerBits(identity: 5)),
        (policy(3, hostBit: 3, peers: [(5, [0b1_0000])]), .strayPeerBits(identity: 5)),
        (policy(64, peers: [(5, [1]), (6, [0, 1])]), .strayPeerBits(identity: 6)),
        // The first flaw is the one reported.
        (policy(4097, hostBit: 1, peers: [(6, [1]), (5, [1])]), .tooManyRules(bits: 4098, limit: 4096)),
        (policy(3, peers: [(6, [8]), (5, [1])]), .unsortedPeers(identity: 5)),
    ]

    @Test("one more, or a contradiction, is refused with what is wrong", arguments: refused.indices)
    func refuses(index: Int) {
        let (policy, error) = Self.refused[index]
        #expect(throws: error) { try PolicyLimits.check(policy) }
    }
}
