import BPFEmit

/// Records on their way to one monitor, bounded, and taken in turns by the pod, by whether it is a drop and by the other end:
/// however much one pod makes, it hides no other pod's drops, nor its own behind what passes; and whoever floods a pod hides
/// few of those of others who send there.
struct FairQueue {
    /// Records held at once. Beyond that only whoever has none gets one in.
    static let limit = 4096
    /// Records held of one kind.
    static let share = 512

    /// Other ends are told apart by so many groups.
    static let groups = 32

    private struct Kind: Hashable {
        var slot: UInt16
        var isDrop: Bool
        var group: UInt8

        init(_ record: VerdictRecord) {
            slot = record.slot
            isDrop = record.isDrop
            let remote = record.direction == .ingress ? record.source : record.destination
            let folded = (remote.high ^ remote.low) &* 0x9e37_79b9_7f4a_7c15
            group = UInt8(truncatingIfNeeded: folded >> 59)
        }
    }

    private var waiting: [Kind: [VerdictRecord]] = [:]
    /// In the order in which they came up.
    private var kinds: [Kind] = []
    private(set) var count = 0

    /// Adds a record; answers whether there was room.
    mutating func add(_ record: VerdictRecord) -> Bool {
        let kind = Kind(record)
        let held = waiting[kind]?.count ?? 0
        guard held == 0 || (held < FairQueue.share && count < FairQueue.limit) else { return false }
        if held == 0 { kinds.append(kind) }
        waiting[kind, default: []].append(record)
        count += 1
        return true
    }

    /// Takes at most `limit` records, one of each kind in turn, and forgets the others.
    ///
    /// - Returns: the records, and how many were forgotten.
    mutating func take(_ limit: Int) -> (records: [VerdictRecord], left: Int) {
        defer { self = FairQueue() }
        if count <= limit { return (interleaved(count), 0) }
        return (interleaved(limit), count - limit)
    }

    private func interleaved(_ limit: Int) -> [VerdictRecord] {
        var records: [VerdictRecord] = []
        records.reserveCapacity(limit)
        var turn = 0
        var taking = kinds
        while records.count < limit, !taking.isEmpty {
            for kind in taking where records.count < limit {
                if let list = waiting[kind], turn < list.count { records.append(list[turn]) }
            }
            turn += 1
            taking.removeAll { turn >= (waiting[$0]?.count ?? 0) }
        }
        return records
    }
}
