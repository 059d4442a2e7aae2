import Synchronization

/// A slot of np_flow_sets in the shared memory. Programs on other CPUs change it at any time, so every access is an atomic one.
struct FlowSlot {
    private let control: UnsafeMutablePointer<Atomic<UInt64>>
    /// The record, in words of 32 bits.
    private let words: UnsafeMutablePointer<Atomic<UInt32>>
    private let layout: FlowSetLayout

    /// The slot `way` of the set that begins at `set`.
    init(set: UnsafeMutableRawPointer, way: Int, _ layout: FlowSetLayout) {
        control = (set + layout.control(way)).assumingMemoryBound(to: Atomic<UInt64>.self)
        words = (set + layout.record(way)).assumingMemoryBound(to: Atomic<UInt32>.self)
        self.layout = layout
    }

    /// The control word as it is now. What was written into the slot before this word is seen afterwards.
    var word: ControlWord { ControlWord(rawValue: control.pointee.load(ordering: .acquiring)) }

    /// Copies the record of a live slot to as many bytes as the layout's records have; whether the slot belonged to the same
    /// flow all the time. If not, the bytes mean nothing.
    func copy(_ word: ControlWord, to target: UnsafeMutableRawPointer) -> Bool {
        for index in 0..<layout.recordSize / 4 {
            target.storeBytes(
                of: (words + index).pointee.load(ordering: .relaxed), toByteOffset: 4 * index, as: UInt32.self)
        }
        // The words are read before the control word is read again.
        atomicMemoryFence(ordering: .acquiring)
        return control.pointee.load(ordering: .relaxed) == word.rawValue
    }

    /// Changes the control word if it is still what it was; whether it was.
    func change(_ old: ControlWord, to new: ControlWord) -> Bool {
        control.pointee.compareExchange(
            expected: old.rawValue, desired: new.rawValue, ordering: .sequentiallyConsistent
        ).exchanged
    }

    /// Fills a slot that the caller has made busy, and gives it to its flow.
    func publish(_ record: UnsafeRawPointer, as word: ControlWord) {
        // Nobody sees a byte of the new record together with the old control word.
        atomicMemoryFence(ordering: .sequentiallyConsistent)
        for index in 0..<layout.recordSize / 4 {
            (words + index).pointee.store(record.load(fromByteOffset: 4 * index, as: UInt32.self), ordering: .relaxed)
        }
        _ = control.pointee.exchange(word.rawValue, ordering: .sequentiallyConsistent)
    }

    /// Sets flags of a live flow, beside programs that set others. Meaningless when the slot has changed hands, and harmless for
    /// flags that only say what was seen: whoever calls knows that it has not.
    func add(flags: UInt32) {
        _ = (words + layout.flags / 4).pointee.bitwiseOr(flags, ordering: .relaxed)
    }

    /// Makes the slot nobody's, whatever it is. Only where no program uses the region.
    func clear() {
        let now = word
        if !now.isFree { control.pointee.store(now.given.rawValue, ordering: .sequentiallyConsistent) }
    }
}
