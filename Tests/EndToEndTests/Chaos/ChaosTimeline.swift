import PolicyIR
import Synchronization

/// Which pairs each state of the policies lets talk, and when which states could be in force.
final class ChaosTimeline: Sendable {
    /// From the moment before anything of it was written until the next one was settled.
    struct Version: Sendable {
        let begin: ContinuousClock.Instant
        var settled: ContinuousClock.Instant?
        let allowed: Set<ProbePair>
    }

    /// A time in which nothing was in flight.
    struct Quiet: Sendable {
        let begin: ContinuousClock.Instant
        let end: ContinuousClock.Instant
        /// What passes.
        let allowed: Set<ProbePair>
    }

    private let versions = Mutex<[Version]>([])
    private let quiet = Mutex<[Quiet]>([])

    /// Nothing was in flight from a moment until now.
    func wasQuiet(since begin: ContinuousClock.Instant) {
        guard let allowed = versions.withLock({ $0.last?.allowed }) else { return }
        quiet.withLock { $0.append(Quiet(begin: begin, end: .now, allowed: allowed)) }
    }

    /// Every quiet time.
    var quietTimes: [Quiet] { quiet.withLock { $0 } }

    /// A new state, of which nothing is written yet.
    func begin(allowed: Set<ProbePair>) {
        versions.withLock { $0.append(Version(begin: .now, settled: nil, allowed: allowed)) }
    }

    /// The latest state is what the kernel has.
    func settle() {
        versions.withLock { versions in
            guard let last = versions.indices.last, versions[last].settled == nil else { return }
            versions[last].settled = .now
        }
    }

    /// Whether some state that could have been in force between the two moments allows the pair.
    func mayPass(_ pair: ProbePair, sent: ContinuousClock.Instant, received: ContinuousClock.Instant) -> Bool {
        versions.withLock { versions in
            // An hour has thousands of versions and a million probes: both ends are found by halving.
            var place = versions.prefixCount { $0.begin <= received }
            while place > 0 {
                place -= 1
                if versions[place].allowed.contains(pair) { return true }
                if let settled = versions[place].settled, settled <= sent { return false }
            }
            return false
        }
    }
}

/// Who sends to whom.
struct ProbePair: Hashable, Sendable {
    let from: String
    let to: String
    let port: UInt16
    /// Whose address it is sent from; `nil` for its own.
    var pretending: String?
}

extension RandomAccessCollection where Index == Int {
    /// How many elements at the beginning fulfil a condition that none fulfils after one that does not.
    func prefixCount(_ condition: (Element) -> Bool) -> Int {
        var (low, high) = (startIndex, endIndex)
        while low < high {
            let middle = (low + high) / 2
            if condition(self[middle]) { low = middle + 1 } else { high = middle }
        }
        return low - startIndex
    }
}
