import CNetpoldABI
package import NetTypes

/// The `skb->cb` registers of netpold_abi.h: where they lie in the context of a program (`struct __sk_buff`), and the
/// fields packed into them.
package enum ControlBlock {
    /// Offset of `cb[0]`, bytes.
    package static let start = Int16(NP_CB_OFFSET)
    /// Number of registers.
    package static let count = Int(NP_CB_COUNT)
    /// Bytes of a register.
    package static let registerBytes = MemoryLayout<UInt32>.size

    package static let endpoint = offset(NP_CB_ENDPOINT)
    package static let identity = offset(NP_CB_IDENTITY)
    package static let traffic = offset(NP_CB_TRAFFIC)
    package static let verdict = offset(NP_CB_VERDICT)
    package static let base = offset(NP_CB_BASE)

    private static func offset(_ register: Int32) -> Int16 { start + Int16(registerBytes) * Int16(register) }

    /// `cb[0]`: whose hook it is.
    package static func packEndpoint(slot: UInt32, _ direction: Direction) -> UInt32 {
        slot & UInt32(NP_CB_SLOT_MASK) | UInt32(direction.rawValue) << UInt32(NP_CB_DIRECTION_SHIFT)
    }

    /// `cb[2]`: a packet's protocol and port (or ICMP type). Ordered by protocol, then port.
    package static func packTraffic(_ protocol: L4Protocol, _ port: UInt16) -> UInt32 {
        UInt32(`protocol`.rawValue) << UInt32(NP_CB_PROTOCOL_SHIFT) | UInt32(port)
    }

    /// `cb[3]` after the policy program: its answer, `word` being that of the rule bit.
    package static func packAnswer(_ verdict: PolicyVerdict, _ decision: PolicyDecision, word: Int) -> UInt32 {
        UInt32(verdict.rawValue) | UInt32(word) << UInt32(NP_CB_WORD_SHIFT)
            | UInt32(decision.rawValue) << UInt32(NP_CB_DECISION_SHIFT)
    }

    /// Reads `cb[2]`.
    package static func unpackTraffic(_ register: UInt32) -> (protocol: L4Protocol, port: UInt16) {
        let number = UInt8(truncatingIfNeeded: register >> UInt32(NP_CB_PROTOCOL_SHIFT))
        return (L4Protocol(rawValue: number), UInt16(truncatingIfNeeded: register))
    }

    /// Reads `cb[3]` as np_verdict does; `nil` for numbers that are not an answer.
    package static func unpackAnswer(
        _ register: UInt32
    ) -> (verdict: PolicyVerdict, decision: PolicyDecision, word: Int)? {
        let decision = UInt8(truncatingIfNeeded: register >> UInt32(NP_CB_DECISION_SHIFT))
        guard let verdict = PolicyVerdict(rawValue: UInt8(register & UInt32(NP_CB_VERDICT_MASK))),
            let decision = PolicyDecision(rawValue: decision)
        else { return nil }
        return (verdict, decision, Int(register >> UInt32(NP_CB_WORD_SHIFT) & UInt32(NP_CB_WORD_MASK)))
    }
}

/// What a traffic-control program returns: `enum np_action`.
package enum TrafficControlAction {
    /// The packet goes on. What a policy program returns, which says nothing.
    package static let ok = Int32(NP_ACTION_OK.rawValue)
    /// The packet is dropped.
    package static let shot = Int32(NP_ACTION_SHOT.rawValue)
}
