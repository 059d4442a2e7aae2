import CNetpoldABI
import NetTypes

/// How long a silent flow is remembered, in seconds.
///
/// Forgetting one is harmless where policy still admits it from its initiator's side; an answer that comes later is
/// asked about as a flow of its own. So the times are longer than applications are silent.
public struct ConntrackTimeouts: Hashable, Sendable {
    /// TCP, answered, no end seen closing: longer than keep-alive's two hours.
    public var established = 8000
    /// TCP that nobody has answered: longer than an initiator tries again.
    public var unanswered = 60
    /// TCP after a FIN of one end: the other may still be sending.
    public var halfClosed = 600
    /// TCP after FINs of both ends, or a RST: late retransmissions.
    public var closed = 30
    /// UDP, and protocols without a notion of connection.
    public var datagram = 180
    /// SCTP.
    public var association = 8000
    /// ICMP queries.
    public var query = 30

    /// The usual times.
    public init() {}

    /// Seconds for a flow with these `NP_ENTRY_*`.
    func seconds(protocol: L4Protocol, flags: UInt32) -> Int {
        switch `protocol` {
        case .tcp:
            let closing = flags & UInt32(NP_ENTRY_FIN_OWN | NP_ENTRY_FIN_REMOTE)
            if flags & UInt32(NP_ENTRY_RST) != 0 || closing == UInt32(NP_ENTRY_FIN_OWN | NP_ENTRY_FIN_REMOTE) {
                return closed
            }
            if closing != 0 { return halfClosed }
            return flags & UInt32(NP_ENTRY_ANSWERED) != 0 ? established : unanswered
        case .sctp: return association
        case .icmp, .icmpv6: return query
        default: return datagram
        }
    }

    /// Whether a flow is over.
    func isOver(_ record: np_flow_record, at now: KernelClock.Reading) -> Bool {
        let seconds = seconds(protocol: L4Protocol(rawValue: record.protocol), flags: record.flags)
        // A packet since the reading makes the entry younger than now. The stamps wrap.
        let silent = Int32(bitPattern: now.flowStamp &- record.last_seen)
        return Int64(silent) << Int64(NP_FLOW_CLOCK_SHIFT) > Int64(seconds * now.rate)
    }
}

extension KernelClock.Reading {
    /// As `np_flow_record.last_seen` has it.
    var flowStamp: UInt32 { UInt32(truncatingIfNeeded: jiffies >> UInt64(NP_FLOW_CLOCK_SHIFT)) }
}
