import BPFEmit

/// The latest names that were refused, for whoever shows the packets: a program tells of the name and then of the packet.
struct RecentDenials: Sendable {
    /// So many are kept.
    static let limit = 1024
    /// How long before the packet's record that of its name was written at most, ns.
    static let delay: UInt64 = 1_000_000

    private var records: [NameRecord] = []
    private var next = 0

    /// Takes those that are about refused names.
    mutating func add(_ all: [NameRecord]) {
        for record in all where record.kind == .denied || record.kind == .serverDenied {
            if records.count < RecentDenials.limit {
                records.append(record)
            } else {
                records[next] = record
                next = (next + 1) % RecentDenials.limit
            }
        }
    }

    /// The name of a packet that was refused for it; `nil` when it was not told of, or is not known yet.
    func name(of packet: VerdictRecord) -> NameRecord? {
        guard let kind = RecentDenials.kind(packet) else { return nil }
        return records.filter {
            $0.kind == kind && $0.slot == UInt32(packet.slot) && $0.time <= packet.time
                && packet.time - $0.time < RecentDenials.delay
        }.max { $0.time < $1.time }
    }

    /// What is told of the name of a packet like this; `nil`: it was not refused for one.
    static func kind(_ packet: VerdictRecord) -> NameRecord.Kind? {
        switch VerdictReason(rawValue: packet.reason) {
        case .nameDenied: .denied
        case .serverName, .hello: .serverDenied
        case _: nil
        }
    }
}
