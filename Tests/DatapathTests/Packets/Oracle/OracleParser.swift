import CNetpoldABI
import NetTypes

/// Reads frames by the RFCs, for comparison with the datapath's parser.
struct OracleParser {
    /// Why a frame is no packet to judge.
    struct Refusal: Error {
        var reason: np_reason

        init(_ reason: np_reason) { self.reason = reason }
    }

    /// - Throws: the reason that decides without any policy, `NP_REASON_ARP` among them.
    static func parse(frame: [UInt8]) throws(Refusal) -> OraclePacket {
        guard frame.count >= 14 else { throw Refusal(NP_DROP_TRUNCATED) }
        let type = Int(frame[12]) << 8 | Int(frame[13])
        let packet = frame.dropFirst(14)
        switch type {
        case 0x0800: return try ipv4(Array(packet))
        case 0x86dd: return try ipv6(Array(packet))
        case 0x0806: throw Refusal(NP_REASON_ARP)
        case 0x8100, 0x88a8: throw Refusal(NP_DROP_VLAN)
        default: throw Refusal(NP_DROP_ETHERTYPE)
        }
    }

    /// The packet in an ICMP error; `nil` when nothing can be learnt from it.
    static func parse(embedded bytes: [UInt8], v6: Bool) -> OraclePacket? {
        let packet = v6 ? try? ipv6(bytes, embedded: true) : try? ipv4(bytes, embedded: true)
        guard let packet, packet.fragment.map({ $0.offset == 0 }) ?? true else { return nil }
        return packet
    }

    private static func ipv4(_ bytes: [UInt8], embedded: Bool = false) throws(Refusal) -> OraclePacket {
        guard bytes.count >= 20 else { throw Refusal(NP_DROP_TRUNCATED) }
        let header = Int(bytes[0] & 15) * 4
        let total = Int(bytes.word(2))
        guard bytes[0] >> 4 == 4, header >= 20 else { throw Refusal(NP_DROP_BAD_HEADER) }
        var end = bytes.count
        if !embedded {
            guard total >= header else { throw Refusal(NP_DROP_BAD_HEADER) }
            guard total <= bytes.count else { throw Refusal(NP_DROP_TRUNCATED) }
            end = total
        }
        guard header <= end else { throw Refusal(NP_DROP_TRUNCATED) }
        if !embedded { try checkOptions(Array(bytes[20..<header])) }
        var packet = OraclePacket(
            source: IPAddress(ipv4: bytes.doubleWord(12)), destination: IPAddress(ipv4: bytes.doubleWord(16)))
        packet.hopLimit = bytes[8]
        packet.protocol = bytes[9]
        let place = bytes.word(6)
        if place & 0x3fff != 0 {
            let identification = UInt32(bytes.word(4))
            packet.fragment = .init(identification: identification, offset: Int(place & 0x1fff) * 8)
        }
        return try transport(packet, Array(bytes[header..<end]), headersBefore: 0, v6: false, embedded: embedded)
    }

    private static func checkOptions(_ options: [UInt8]) throws(Refusal) {
        var rest = options[...]
        while let type = rest.first {
            if type == 0 { return }
            if type == 131 || type == 137 { throw Refusal(NP_DROP_SOURCE_ROUTE) }
            if type == 1 {
                rest = rest.dropFirst()
                continue
            }
            guard rest.count >= 2, let length = rest.dropFirst().first, length >= 2, Int(length) <= rest.count else {
                throw Refusal(NP_DROP_BAD_HEADER)
            }
            rest = rest.dropFirst(Int(length))
        }
    }

    private static func ipv6(_ bytes: [UInt8], embedded: Bool = false) throws(Refusal) -> OraclePacket {
        guard bytes.count >= 40 else { throw Refusal(NP_DROP_TRUNCATED) }
        guard bytes[0] >> 4 == 6 else { throw Refusal(NP_DROP_BAD_HEADER) }
        let source = IPAddress(bytes: bytes[8..<24])
        let destination = IPAddress(bytes: bytes[24..<40])
        guard !source.isIPv4, !destination.isIPv4 else { throw Refusal(NP_DROP_BAD_HEADER) }
        var rest = Array(bytes[40...])
        if !embedded {
            let length = Int(bytes.word(4))
            guard length <= rest.count else { throw Refusal(NP_DROP_TRUNCATED) }
            rest = Array(rest[..<length])
        }
        var packet = OraclePacket(source: source, destination: destination)
        packet.hopLimit = bytes[7]
        var next = bytes[6]
        var headers = 0
        var sawFragmentHeader = false
        var inFragmentable = 0
        while [0, 43, 44, 51, 60].contains(next) {
            guard headers < Int(NP_MAX_EXTENSION_HEADERS) else { throw Refusal(NP_DROP_EXTENSION_HEADERS) }
            if next == 44 {
                guard rest.count >= 8 else { throw Refusal(NP_DROP_TRUNCATED) }
                guard !sawFragmentHeader else { throw Refusal(NP_DROP_EXTENSION_HEADERS) }
                sawFragmentHeader = true
                let place = rest.word(2)
                if place & 0xfff9 != 0 {
                    packet.fragment = .init(identification: rest.doubleWord(4), offset: Int(place & 0xfff8))
                }
                next = rest[0]
                rest.removeFirst(8)
                if let fragment = packet.fragment, fragment.offset > 0 {
                    packet.protocol = next
                    return packet
                }
            } else {
                let cut = Refusal(packet.fragment == nil ? NP_DROP_TRUNCATED : NP_DROP_FRAGMENT_TINY)
                guard rest.count >= 4 else { throw cut }
                if next == 0, headers > 0 { throw Refusal(NP_DROP_EXTENSION_HEADERS) }
                if next == 43, rest[3] != 0 { throw Refusal(NP_DROP_SOURCE_ROUTE) }
                let length = next == 51 ? (Int(rest[1]) + 2) * 4 : (Int(rest[1]) + 1) * 8
                guard length <= rest.count else { throw cut }
                next = rest[0]
                rest.removeFirst(length)
                if sawFragmentHeader { inFragmentable += length }
            }
            headers += 1
        }
        packet.protocol = next
        return try transport(packet, rest, headersBefore: inFragmentable, v6: true, embedded: embedded)
    }

    private static func transport(
        _ found: OraclePacket, _ bytes: [UInt8], headersBefore: Int, v6: Bool, embedded: Bool
    ) throws(Refusal) -> OraclePacket {
        var packet = found
        if let fragment = packet.fragment, fragment.offset > 0 { return packet }
        let cut = Refusal(packet.fragment == nil ? NP_DROP_TRUNCATED : NP_DROP_FRAGMENT_TINY)
        var header = 0
        switch packet.protocol {
        case 6, 17, 132:
            let least = embedded ? 8 : packet.protocol == 6 ? 20 : packet.protocol == 17 ? 8 : 16
            guard bytes.count >= least else { throw cut }
            header = least
            packet.sourcePort = bytes.word(0)
            packet.destinationPort = bytes.word(2)
            if packet.protocol == 6, !embedded {
                header = Int(bytes[12] >> 4) * 4
                guard header >= 20 else { throw Refusal(NP_DROP_BAD_HEADER) }
                guard bytes.count >= header else { throw cut }
                packet.kind = .exchange(asks: bytes[13] & 0x12 == 0x02)
                packet.tcpFlags = bytes[13]
            }
            if packet.protocol == 132, !embedded {
                packet.kind = .exchange(asks: bytes[12] == 1)
                packet.chunk = Int(bytes[12])
            }
        case 1, 58:
            guard (packet.protocol == 58) == v6 else { throw Refusal(NP_DROP_BAD_HEADER) }
            guard bytes.count >= 8 else { throw cut }
            header = 8
            packet.body = Array(bytes[8...])
            packet.readICMP(type: bytes[0], code: bytes[1], identifier: bytes.word(4), v6: v6)
        default: break
        }
        packet.fragment?.headers = headersBefore + header
        return packet
    }
}

extension OraclePacket {
    fileprivate mutating func readICMP(type: UInt8, code: UInt8, identifier: UInt16, v6: Bool) {
        let answers: [UInt8: UInt8] = v6 ? [129: 128] : [0: 8, 14: 13]
        icmpType = type
        icmpCode = code
        if answers.values.contains(type) {
            kind = .exchange(asks: true)
            (sourcePort, destinationPort) = (identifier, UInt16(type))
        } else if let query = answers[type] {
            kind = .icmpAnswer
            (sourcePort, destinationPort) = (UInt16(query), identifier)
        } else if (v6 ? [1, 2, 3, 4] : [3, 11, 12]).contains(type) {
            kind = .icmpError
        } else {
            kind = .icmpMessage
        }
    }
}

extension IPAddress {
    fileprivate init(bytes: ArraySlice<UInt8>) {
        let halves = [bytes.prefix(8), bytes.suffix(8)].map { $0.reduce(UInt64(0)) { $0 << 8 | UInt64($1) } }
        self.init(high: halves[0], low: halves[1])
    }
}

extension [UInt8] {
    fileprivate func word(_ place: Int) -> UInt16 { UInt16(self[place]) << 8 | UInt16(self[place + 1]) }
    fileprivate func doubleWord(_ place: Int) -> UInt32 { UInt32(word(place)) << 16 | UInt32(word(place + 2)) }
}
