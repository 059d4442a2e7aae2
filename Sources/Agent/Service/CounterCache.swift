import BPFEmit
import Support
import Synchronization

/// The datapath's counters as last read. However many ask, they are read at most so often that the datapath spends a tenth of
/// its time on it, and whoever asks waits for them only a moment.
final class CounterCache: Sendable {
    /// What was read.
    struct Reading: Sendable {
        /// Raised with each reading.
        var number: UInt64 = 0
        var counters: DatapathCounters?
        var capacities: [CapacityUse] = []
        /// When its reading began; `nil` before the first.
        var began: ContinuousClock.Instant?
    }

    /// A reading of this age is as good as a new one.
    static let freshness = Duration.milliseconds(25)
    /// How long to wait for a new reading, before the last one has to do.
    static let patience = Duration.milliseconds(40)
    /// Capacities are counted at most so often: the flow table is looked through for that.
    static let capacityInterval = Duration.seconds(5)

    private let worker: DatapathWorker
    private let reader = InputReader(every: nil)
    private let reading = Mutex(Reading())
    private let clock = ContinuousClock()

    init(_ worker: DatapathWorker) { self.worker = worker }

    /// Reads when asked, until the task is cancelled.
    func run() async {
        let counted = Mutex<ContinuousClock.Instant?>(nil)
        await reader.run {
            let began = self.clock.now
            let counters = try? await self.worker.counters()
            var capacities: [CapacityUse]?
            if counted.withLock({ $0.map { began - $0 > CounterCache.capacityInterval } ?? true }) {
                capacities = try? await self.worker.capacities()
                counted.withLock { $0 = self.clock.now }
            }
            self.reading.withLock { reading in
                reading.number += 1
                reading.counters = counters ?? reading.counters
                reading.capacities = capacities ?? reading.capacities
                reading.began = began
            }
            let took = self.clock.now - began
            try? await Task.sleep(for: max(CounterCache.freshness, took * 10))
        }
    }

    /// A fresh reading, or after a moment's wait the last one.
    func latest() async -> Reading {
        let asked = clock.now
        var isAsked = false
        while true {
            let reading = reading.withLock(\.self)
            if let began = reading.began, began > asked - CounterCache.freshness { return reading }
            // Whoever asked while one was on its way gets what that brings.
            if clock.now - asked > CounterCache.patience || Task.isCancelled { return reading }
            if !isAsked { reader.ask() }
            isAsked = true
            guard (try? await clock.sleep(for: .milliseconds(2))) != nil else { return reading }
        }
    }
}
