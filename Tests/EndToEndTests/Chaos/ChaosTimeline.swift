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

    private let start = ContinuousClock.now
    private let versions = Mutex<[Version]>([])
    private let quiet = Mutex<[Quiet]>([])
    private let notes = Mutex<[(time: ContinuousClock.Instant, text: String)]>([])

    /// Keeps what is done now, for messages.
    func note(_ text: String) {
        notes.withLock { $0.append((.now, text)) }
    }

    /// The latest notes, a line each.
    func notes(last count: Int) -> String {
        notes.withLock { $0.suffix(count).map { line($0.time, $0.text) } }.joined(separator: "\n")
    }

    /// What was done around probes that should not have passed, and what each state of that time says of them.
    func story(of probes: some Sequence<ProbeTraffic.Probe>) -> String {
        probes.map { story(of: $0) }.joined(separator: "\n\n")
    }

    private func story(of probe: ProbeTraffic.Probe) -> String {
        let around = (probe.sent - .seconds(10))...((probe.received ?? probe.sent) + .seconds(5))
        var lines = notes.withLock { $0 }
        for (number, version) in versions.withLock({ $0 }).enumerated() {
            let word = version.allowed.contains(probe.pair) ? "allows it" : "denies it"
            lines.append((version.begin, "state \(number) begins, \(word)"))
            if let settled = version.settled { lines.append((settled, "state \(number) is settled")) }
        }
        lines.append((probe.sent, "the probe is sent"))
        if let received = probe.received { lines.append((received, "the probe is received")) }
        return lines.filter { around.contains($0.time) }.sorted { $0.time < $1.time }
            .map { line($0.time, $0.text) }.joined(separator: "\n")
    }

    private func line(_ time: ContinuousClock.Instant, _ text: String) -> String {
        "\(time - start)  \(text)"
    }

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
