import CNetpoldABI
import Glibc
import NetTypes

/// Sets of np_flow_sets, mapped: finds, inserts and removes flows without system calls, beside the programs that do the same.
///
/// Made by `FlowMap` for what is to be done, and unmapped when it goes. Safe to use from any thread. Which sets are whose is not its
/// business (`EndpointRegions`).
package final class FlowTable: Sendable {
    /// A flow, and the slot in which it was found.
    struct Entry {
        var record: np_flow_record
        fileprivate(set) var word: ControlWord
        fileprivate(set) var set: Int
        fileprivate(set) var way: Int

        /// The index of its slot.
        var slot: UInt32 { UInt32(set * Int(NP_FLOW_WAYS) + way) }
    }

    /// What became of a flow that was to be inserted.
    enum Insertion: Hashable, Sendable {
        /// It is in the table now.
        case inserted
        /// It was there already; nothing was changed.
        case present
        /// Both of its sets are full of flows that may not make room.
        case full
    }

    /// The sets that are mapped, by their numbers in the whole table.
    private let sets: Range<Int>
    private let seed: np_flow_seed
    let layout: FlowSetLayout
    private let mapping: MapMemory
    /// How often an insertion looks for another slot when somebody else takes the one it wanted.
    private static let attempts = 16

    /// Maps sets.
    ///
    /// - Throws: when they cannot be mapped.
    init(_ flows: FlowMap, sets: Range<Int>) throws(BPFError) {
        precondition(!sets.isEmpty && sets.lowerBound >= 0 && sets.upperBound <= flows.sets, "sets \(sets)")
        self.mapping = try MapMemory(flows.map, entries: sets)
        self.sets = sets
        self.layout = flows.layout
        self.seed = flows.seed
    }

    // MARK: one slot

    /// The slot of a set: of use while the table is held, which an optimizer ends at its last use. So every function that uses slots
    /// holds the table to its end.
    func slot(_ set: Int, _ way: Int) -> FlowSlot {
        precondition(sets.contains(set), "set \(set)")
        return FlowSlot(set: mapping.base + (set - sets.lowerBound) * layout.stride, way: way, layout)
    }

    /// The flow in a slot; `nil` when there is none, or it changes hands at this moment.
    func entry(_ set: Int, _ way: Int) -> Entry? {
        defer { withExtendedLifetime(self) {} }
        let slot = slot(set, way)
        let word = slot.word
        guard word.isLive, let record = record(of: slot, word) else { return nil }
        return Entry(record: record, word: word, set: set, way: way)
    }

    private func record(of slot: FlowSlot, _ word: ControlWord) -> np_flow_record? {
        guard let codec = layout.codec else {
            var record = np_flow_record()
            let isWhole = withUnsafeMutableBytes(of: &record) { bytes in
                bytes.baseAddress.map { slot.copy(word, to: $0) } ?? false
            }
            return isWhole ? record : nil
        }
        return withUnsafeTemporaryAllocation(byteCount: layout.recordSize, alignment: 8) { bytes in
            guard let bytes = bytes.baseAddress, slot.copy(word, to: bytes) else { return nil }
            var record = np_flow_record()
            let fits = withUnsafeMutableBytes(of: &record) { target in
                target.baseAddress.map { codec.decode.convert(bytes, to: $0) } ?? false
            }
            return fits ? record : nil
        }
    }

    /// Forgets a flow, unless its slot has changed hands since it was read.
    ///
    /// - Returns: whether it was forgotten.
    func remove(_ entry: Entry) -> Bool {
        defer { withExtendedLifetime(self) {} }
        return slot(entry.set, entry.way).change(entry.word, to: entry.word.given)
    }

    /// The version that a slot has now.
    func version(_ set: Int, _ way: Int) -> UInt32 {
        defer { withExtendedLifetime(self) {} }
        return slot(set, way).word.version
    }

    /// A slot that is being filled.
    struct BusySlot {
        fileprivate let word: ControlWord
        fileprivate let set: Int
        fileprivate let way: Int
    }

    /// The slots of a region that are being filled now.
    func busySlots(in region: FlowRegion) -> [BusySlot] {
        defer { withExtendedLifetime(self) {} }
        return region.range.flatMap { set in
            (0..<layout.ways).compactMap { way in
                let word = slot(set, way).word
                return word.isBusy ? BusySlot(word: word, set: set, way: way) : nil
            }
        }
    }

    /// Frees a slot that is still being filled, by somebody who is gone.
    func abandon(_ busy: BusySlot) {
        defer { withExtendedLifetime(self) {} }
        _ = slot(busy.set, busy.way).change(busy.word, to: busy.word.given)
    }

    /// Sets flags of a flow that was found, unless its slot has changed hands since.
    func add(_ flags: UInt32, to entry: Entry) {
        defer { withExtendedLifetime(self) {} }
        guard entry.record.flags & flags != flags else { return }
        let slot = slot(entry.set, entry.way)
        if slot.word == entry.word { slot.add(flags: flags) }
    }

    // MARK: one flow

    /// The flow with the key that `record` has; `nil` when there is none.
    func find(_ record: np_flow_record, endpoint: UInt32, in region: FlowRegion) -> Entry? {
        defer { withExtendedLifetime(self) {} }
        let place = place(record, endpoint, region)
        for set in place.sets {
            for way in 0..<layout.ways {
                let slot = slot(set, way)
                let word = slot.word
                guard word.isLive, word.tag == place.tag, let found = self.record(of: slot, word),
                    found.hasKey(of: record)
                else { continue }
                return Entry(record: found, word: word, set: set, way: way)
            }
        }
        return nil
    }

    /// Inserts a flow as programs do, but in three points. Where both of its sets are full one of their flows goes to its other set.
    /// A flow that nobody has answered makes room only for one that somebody has and that is more than a question and its answer.
    /// And questions that were answered make room for nobody.
    ///
    /// `prepare` gets the slot's index and version before anybody can find the flow there: for what is remembered beside it.
    /// `carry` gets a flow that goes to its other set, with the index and version of its slot there, likewise.
    func insert(
        _ record: np_flow_record, endpoint: UInt32, in region: FlowRegion,
        prepare: (_ slot: UInt32, _ version: UInt32) -> Void = { _, _ in },
        carry: (_ entry: Entry, _ slot: UInt32, _ version: UInt32) -> Void = { _, _, _ in }
    ) -> Insertion {
        defer { withExtendedLifetime(self) {} }
        let place = place(record, endpoint, region)
        for _ in 0..<Self.attempts {
            if find(record, endpoint: endpoint, in: region) != nil { return .present }
            if let free = choose(place.sets) {
                if put(record, tag: place.tag, at: free, prepare) { return .inserted }
            } else if !makeRoom(in: place.sets, endpoint: endpoint, region, carry) {
                guard record.isAnswered, !record.isExchange, let victim = victim(place.sets) else { return .full }
                if put(record, tag: place.tag, at: victim, prepare) { return .inserted }
            }
        }
        return .full
    }

    /// Writes a flow into a slot that was read before; false when the slot has changed since.
    private func put(
        _ record: np_flow_record, tag: UInt32, at chosen: (set: Int, way: Int, word: ControlWord),
        _ prepare: (_ slot: UInt32, _ version: UInt32) -> Void
    ) -> Bool {
        // Who reuses a slot counts its version up; who takes a free one finds it counted up.
        let version = chosen.word.isFree ? chosen.word.version : chosen.word.version &+ 1
        let slot = slot(chosen.set, chosen.way)
        guard slot.change(chosen.word, to: .busy(version: version)) else { return false }
        prepare(UInt32(chosen.set * layout.ways + chosen.way), version)
        write(record, into: slot, as: .live(version: version, tag: tag))
        return true
    }

    /// Has one of the flows in full sets go from its first set to its second; false when those are full too.
    ///
    /// For a moment it is in both, and who looks into the first and then into the second finds it at every moment. (So none goes
    /// the other way.) What a program notes then in the one that goes is lost, as if its packet had come earlier.
    private func makeRoom(
        in sets: [Int], endpoint: UInt32, _ region: FlowRegion, _ carry: (Entry, UInt32, UInt32) -> Void
    ) -> Bool {
        for set in sets {
            for entry in (0..<layout.ways).compactMap({ entry(set, $0) }) {
                let place = place(entry.record, endpoint, region)
                guard set == place.sets[0], let free = choose(place.sets.filter { !sets.contains($0) }),
                    put(entry.record, tag: place.tag, at: free, { carry(entry, $0, $1) })
                else { continue }
                // One that has changed hands meanwhile has made room by itself, or stays, and its copy expires.
                if remove(entry) { return true }
            }
        }
        return false
    }

    private func write(_ record: np_flow_record, into slot: FlowSlot, as word: ControlWord) {
        withUnsafeBytes(of: record) { bytes in
            guard let bytes = bytes.baseAddress else { return }
            guard let codec = layout.codec else { return slot.publish(bytes, as: word) }
            withUnsafeTemporaryAllocation(byteCount: layout.recordSize, alignment: 8) { target in
                guard let target = target.baseAddress else { return }
                // A number that does not fit leaves zeroes behind, which admit nothing.
                if !codec.encode.convert(bytes, to: target) {
                    target.initializeMemory(as: UInt8.self, repeating: 0, count: layout.recordSize)
                }
                slot.publish(target, as: word)
            }
        }
    }

    /// A free slot: of the first set while that has room for two, else of the one with more room.
    private func choose(_ sets: [Int]) -> (set: Int, way: Int, word: ControlWord)? {
        var best: (set: Int, way: Int, word: ControlWord)?
        var most = 0
        for set in sets {
            let words = (0..<layout.ways).map { (set: set, way: $0, word: slot(set, $0).word) }
            let free = words.filter(\.word.isFree)
            if free.count > most {
                most = free.count
                best = free.first
            }
            if free.count >= 2 { break }
        }
        return best
    }

    /// The flow that has waited longest for an answer, if there is one.
    private func victim(_ sets: [Int]) -> (set: Int, way: Int, word: ControlWord)? {
        let waiting = sets.flatMap { set in (0..<layout.ways).compactMap { entry(set, $0) } }
            .filter { !$0.record.isAnswered }
        // The clock wraps: the largest distance before the others is the oldest.
        let newest = waiting.map(\.record.last_seen).reduce(nil as UInt32?) { newest, seen in
            guard let newest else { return seen }
            return Int32(bitPattern: seen &- newest) > 0 ? seen : newest
        }
        guard let newest else { return nil }
        return waiting.max { newest &- $0.record.last_seen < newest &- $1.record.last_seen }
            .map { ($0.set, $0.way, $0.word) }
    }

    private func place(_ record: np_flow_record, _ endpoint: UInt32, _ region: FlowRegion) -> (sets: [Int], tag: UInt32)
    {
        let hash = withUnsafePointer(to: seed) { seed in
            withUnsafePointer(to: record) { np_flow_hash(seed, endpoint, $0) }
        }
        let mask = UInt64(region.sets - 1)
        let first = Int(region.first) + Int(hash & mask)
        let second = Int(region.first) + Int(hash >> UInt64(NP_FLOW_SECOND_SHIFT) & mask)
        return (
            first == second ? [first] : [first, second],
            UInt32(truncatingIfNeeded: hash >> UInt64(NP_FLOW_TAG_SHIFT)) & UInt32(NP_SLOT_TAG_MASK)
        )
    }

    // MARK: a region

    /// Empties a region that no program uses.
    package func clear(_ region: FlowRegion) {
        defer { withExtendedLifetime(self) {} }
        for set in region.range { for way in 0..<layout.ways { slot(set, way).clear() } }
    }

    /// Empties all regions that are mapped, which no program uses.
    package func clear() {
        defer { withExtendedLifetime(self) {} }
        for set in sets { for way in 0..<layout.ways where slot(set, way).word.isLive { slot(set, way).clear() } }
    }

    /// Every flow in a region. Those that come, go or move meanwhile may be missing.
    func entries(in region: FlowRegion) -> [Entry] { entries(in: region.range) }

    /// Every flow in some sets.
    func entries(in sets: Range<Int>) -> [Entry] {
        defer { withExtendedLifetime(self) {} }
        return sets.flatMap { set in (0..<layout.ways).compactMap { entry(set, $0) } }
    }

    /// Slots in a region that hold a flow.
    func count(in region: FlowRegion) -> Int {
        defer { withExtendedLifetime(self) {} }
        var count = 0
        for set in region.range { for way in 0..<layout.ways where slot(set, way).word.isLive { count += 1 } }
        return count
    }
}

extension np_flow_record {
    /// Whether a packet against the flow's direction has passed.
    var isAnswered: Bool { flags & UInt32(NP_ENTRY_ANSWERED) != 0 }

    /// Whether it is a question of no connection that has been answered, and nothing has followed.
    var isExchange: Bool {
        let hasConnection = [L4Protocol.tcp.rawValue, L4Protocol.sctp.rawValue].contains(`protocol`)
        return !hasConnection && np_is_exchange(flags) != 0
    }

    /// Whether this is the same flow, of the same endpoint.
    func hasKey(of other: np_flow_record) -> Bool {
        remote.word == other.remote.word && own_port == other.own_port && remote_port == other.remote_port
            && `protocol` == other.protocol && own_address == other.own_address
    }
}
