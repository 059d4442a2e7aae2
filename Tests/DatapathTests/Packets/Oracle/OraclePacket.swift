import NetTypes

/// A frame as an independent reader sees it: naive, byte by byte, no knowledge of how the datapath does it.
struct OraclePacket {
    /// What kind of message it is, as far as judging goes.
    enum Kind: Equatable {
        /// Part of an exchange between two ends that have ports or something like them.
        case exchange(asks: Bool)
        /// The answer to an ICMP query.
        case icmpAnswer
        /// An ICMP message that stands alone.
        case icmpMessage
        /// An ICMP error and what it embeds.
        case icmpError
    }

    /// Its place in a fragmented datagram.
    struct FragmentPlace {
        var identification: UInt32
        var offset: Int
        /// Bytes of the datagram up to the end of the transport header; set in first fragments.
        var headers = 0
    }

    var source: IPAddress
    var destination: IPAddress
    var `protocol`: UInt8 = 0
    /// Ports; of ICMP queries the identifier on the asking side and the query's type on the other.
    var sourcePort: UInt16 = 0
    var destinationPort: UInt16 = 0
    var kind = Kind.exchange(asks: false)
    var icmpType: UInt8 = 0
    var icmpCode: UInt8 = 0
    /// Of TCP; 0 where there is no header.
    var tcpFlags: UInt8 = 0
    /// Type of the first chunk of SCTP; -1 where there is none.
    var chunk = -1
    var hopLimit: UInt8 = 0
    var fragment: FragmentPlace?
    /// What follows the ICMP header.
    var body: [UInt8] = []

    /// The packet as seen against its direction of travel.

    /// Whether it starts an exchange: a connection, an association or an ICMP query.
    var asks: Bool { kind == .exchange(asks: true) }
    var isICMP: Bool { `protocol` == 1 || `protocol` == 58 }
    /// Whether it opens a connection or an association.
    var opens: Bool { asks && !isICMP }
    /// Whether it is of a protocol whose flows have a beginning that can be told.
    var hasConnection: Bool { `protocol` == 6 || `protocol` == 132 }
    /// SYN, or SCTP's INIT and INIT ACK.
    var hasSYN: Bool { tcpFlags & 2 != 0 || [1, 2].contains(chunk) }
    /// RST, or ABORT.
    var hasRST: Bool { tcpFlags & 4 != 0 || chunk == 6 }
    /// FIN, or SHUTDOWN and SHUTDOWN ACK.
    var hasFIN: Bool { tcpFlags & 1 != 0 || [7, 8].contains(chunk) }

    /// Whether it goes from the lower to the higher port, as answers of servers do.
    var goesUp: Bool { sourcePort < destinationPort }
    var isSYNACK: Bool { !asks && hasSYN }
    /// Whether it goes from a port that only servers use to a higher one.
    var isFromServer: Bool { goesUp && sourcePort < 32768 }
    /// Whether its ports are not those of somebody who asks a server.
    private var mayBeAnswerByPorts: Bool { !(sourcePort > destinationPort && destinationPort < 32768) }

    /// Whether a packet of which nothing else is known may be an answer, at a pod that was last allowed less so long ago.
    func mayAnswer(_ change: PolicyAge) -> Bool {
        if asks { return false }
        if hasConnection { return hasSYN || mayBeAnswerByPorts }
        switch change {
        case .old: return false
        case .recent: return isFromServer
        case .new: return mayBeAnswerByPorts
        }
    }

    /// The port or ICMP type that policy judges it by.
    var portForPolicy: UInt16 { if case .exchange = kind { destinationPort } else { UInt16(icmpType) } }
    /// The same of its answer; of an answer, that of the question.
    var mirroredPort: UInt16 {
        let answers: [UInt8: UInt16] = [8: 0, 13: 14, 128: 129]
        if case .exchange = kind, isICMP { return answers[icmpType] ?? 0 }
        return sourcePort
    }
}

/// How long ago what a pod's policies allow has become less, as far as that matters to packets of unknown flows.
enum PolicyAge: CaseIterable {
    /// So long that every entry of that time would be forgotten.
    case old
    /// Within the time that a silent flow is remembered.
    case recent
    /// An answer may be under way.
    case new
}
