import BPFEmit
import CNetpoldABI
import NetTypes

extension VerdictRecord {
    /// Reasons that are an answer of a policy program. (A program without counters leaves `ruleHit` 0.)
    private static let policyReasons = Set(
        [
            NP_REASON_ALLOWED, NP_REASON_REVALIDATED, NP_DROP_POLICY_DENY, NP_DROP_POLICY_DEFAULT,
            NP_DROP_L7_UNAVAILABLE,
        ].map { UInt8($0.rawValue) })

    /// Reads a `struct np_event`; `nil` for one of another size, or with a direction or decision that do not exist.
    init?(_ bytes: UnsafeRawBufferPointer) {
        guard bytes.count == MemoryLayout<np_event>.size else { return nil }
        let event = bytes.loadUnaligned(as: np_event.self)
        guard let direction = Direction(rawValue: event.direction),
            let decision = PolicyDecision(rawValue: event.decision)
        else { return nil }
        let wasAsked = event.rule_hit != 0 || VerdictRecord.policyReasons.contains(event.reason)
        self.init(
            time: event.time, source: event.source.ipAddress, destination: event.destination.ipAddress,
            sourcePort: UInt16(bigEndian: event.source_port),
            destinationPort: UInt16(bigEndian: event.destination_port),
            protocol: L4Protocol(rawValue: event.protocol), slot: event.endpoint, direction: direction,
            remoteIdentity: event.remote_identity, ruleHit: event.rule_hit, revision: event.revision,
            reason: event.reason, decision: wasAsked ? decision : nil, length: event.length, tcpFlags: event.tcp_flags,
            isMasqueraded: Int32(event.flags) & NP_EVENT_MASQUERADED != 0,
            isForNodeToo: Int32(event.flags) & NP_EVENT_NODE_TOO != 0)
    }
}
