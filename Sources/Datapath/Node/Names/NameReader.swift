public import BPFEmit
import CNetpoldABI
import NetTypes
import Synchronization

/// Reads what programs tell about names. Records that were written while nobody read are there too. Unchecked: the ring is read by one
/// thread at a time, and waiting for it reads nothing.
public final class NameReader: @unchecked Sendable {
    private let ring: RingBuffer
    private let reading = Mutex(0)

    /// Records of another size or with numbers that do not exist.
    public var unreadable: Int { reading.withLock(\.self) }

    package init(_ maps: NameMaps) throws(BPFError) {
        ring = try RingBuffer(map: maps.events.fd, name: maps.events.name)
    }

    /// Waits until there are records, at most 100 ms.
    public func wait() throws(BPFError) { try ring.wait(milliseconds: 100) }

    /// The next records, oldest first, at most `limit`: those that are there.
    public func take(_ limit: Int = 1024) throws(BPFError) -> [NameRecord] {
        let result = reading.withLock { unreadable -> Result<[NameRecord], BPFError> in
            var records: [NameRecord] = []
            var others = 0
            do throws(BPFError) {
                try ring.take(limit: limit) { bytes in
                    if let record = NameRecord(bytes) { records.append(record) } else { others += 1 }
                }
            } catch {
                return .failure(error)
            }
            unreadable += others
            return .success(records)
        }
        return try result.get()
    }
}

extension NodeDatapath {
    /// A reader of what programs tell about names; `nil` where they tell nothing. One at a time: the ring has one reading position.
    public func makeNameReader() throws(BPFError) -> NameReader? {
        guard let names = maps.names else { return nil }
        return try NameReader(names)
    }
}

extension NameRecord {
    /// A record of np_name_events; `nil` for one of another size or kind.
    init?(_ bytes: UnsafeRawBufferPointer) {
        guard bytes.count == MemoryLayout<np_name_event>.size else { return nil }
        let event = bytes.loadUnaligned(as: np_name_event.self)
        let kind: NameRecord.Kind
        switch np_name_event_kind(rawValue: UInt32(event.kind)) {
        case NP_NAME_LEARNT: kind = .learnt
        case NP_NAME_DENIED: kind = .denied
        case NP_NAME_UNLEARNT: kind = .unlearnt
        case NP_NAME_SERVER_DENIED: kind = .serverDenied
        default: return nil
        }
        let name = withUnsafeBytes(of: event.name) { NameRecord.text(Array($0)) }
        let addresses = withUnsafeBytes(of: event.address) { all in
            (0..<min(Int(event.count), Int(NP_NAME_EVENT_ADDRESSES))).map {
                all.loadUnaligned(fromByteOffset: $0 * MemoryLayout<np_address>.size, as: np_address.self).ipAddress
            }
        }
        self.init(
            time: event.time, slot: event.endpoint, kind: kind, name: name, type: event.type,
            remote: event.remote.ipAddress, addresses: addresses, expires: event.expires, base: event.rule_base,
            rules: event.rules)
    }

    /// A name as on the wire, in text. Empty for none.
    package static func text(_ wire: [UInt8]) -> String {
        var labels: [String] = []
        var place = 0
        while place < wire.count, wire[place] > 0 {
            let end = min(place + 1 + Int(wire[place]), wire.count)
            labels.append(wire[(place + 1)..<end].map(character).joined())
            place = end
        }
        return labels.joined(separator: ".")
    }

    private static func character(_ byte: UInt8) -> String {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"),
            UInt8(ascii: "_"):
            String(Unicode.Scalar(byte))
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): String(Unicode.Scalar(byte | 0x20))
        default: "\\" + String(repeating: "0", count: 3 - "\(byte)".count) + "\(byte)"
        }
    }
}
