import BPFEmit
import Synchronization

/// The latest generations, so that a record that waited in the ring is read by the tables of its own time: the pod that had
/// the slot then, not the one that has it now.
final class GenerationHistory: Sendable {
    /// At most so many are kept,
    static let limit = 16
    /// and none that was followed by another one longer ago: no record waits that long.
    static let memory = Duration.seconds(5)

    /// Newest first.
    private let generations = Mutex<[Generation]>([])

    /// The newest one.
    var current: Generation { generations.withLock { $0.first ?? .unknown } }

    /// Newest first; never empty.
    var all: [Generation] {
        generations.withLock { $0.isEmpty ? [.unknown] : $0 }
    }

    /// Begins another one.
    func begin(_ next: Generation) {
        generations.withLock { $0.insert(next, at: 0) }
        forget(at: next.began)
    }

    /// Lets go of those that no record can be of any more: each has the policies of a node.
    func forget(at now: KernelTime) {
        generations.withLock { generations in
            let memory = UInt64(GenerationHistory.memory / .nanoseconds(1))
            // One that was followed longer ago than that, and all before it.
            let end = generations.indices.dropFirst().first { index in
                index >= GenerationHistory.limit
                    || now.nanoseconds > generations[index - 1].began.nanoseconds + memory
            }
            if let end { generations.removeSubrange(end...) }
        }
    }
}

extension [Generation] {
    /// The one of these, newest first, that a record is to be read by. While an apply is under way hooks work by the old or
    /// the new state, and the endpoint's revision in the record says which; where no revision does, time has to.
    func generation(of record: VerdictRecord) -> Generation {
        let time = KernelTime(nanoseconds: record.time)
        let ofPod = filter { $0.slots[UInt32(record.slot)]?.revision == record.revision }
        let candidates = ofPod.isEmpty ? self : ofPod
        return candidates.first { $0.began <= time } ?? candidates.last ?? .unknown
    }
}
