import CNetpoldABI
import NetTypes

/// How long a silent flow is remembered, in seconds.
///
/// Forgetting one is harmless where policy still admits it from its initiator's side; an answer that comes later is
/// asked about as a flow of its own. So the times are longer than applications are silent.
public struct ConntrackTimeouts: Hashable, Sendable {
    /// TCP, no end seen closing: longer than keep-alive's two hours.
    public var established = 8000
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

    /// Seconds for a flow.
    func seconds(protocol: L4Protocol, flags: UInt32) -> Int {
        switch `protocol` {
        case .tcp:
            let closing = flags & UInt32(NP_FLOW_FIN_LOW | NP_FLOW_FIN_HIGH)
            if flags & UInt32(NP_FLOW_RST) != 0 || closing == UInt32(NP_FLOW_FIN_LOW | NP_FLOW_FIN_HIGH) {
                return closed
            }
            return closing == 0 ? established : halfClosed
        case .sctp: return association
        case .icmp, .icmpv6: return query
        default: return datagram
        }
    }
}
