import BPFEmit
import Support
import Synchronization

/// Sends verdicts to monitors. Reads the event ring on a thread of its own, and only while somebody listens; the reconciler
/// knows nothing of it.
///
/// A record is looked at by its numbers first, and is resolved to names only when it will be sent. Sending and explaining
/// have a share of the time each, whatever comes in; what finds no time or no room is counted, for each monitor apart.
final class MonitorHub: Sendable {
    /// Monitors at once.
    static let monitorLimit = 16
    /// Verdicts a monitor gets a second on average.
    static let rate = 1000.0
    /// Verdicts a monitor gets at once after a quiet time.
    static let burst = 1000.0
    /// Of one CPU's time, for resolving and sending, and for explaining.
    static let share = 0.15
    /// How long records are collected, so that pods can take turns.
    static let window = Duration.milliseconds(20)
    /// Verdicts a monitor gets of each window even when the time is spent: whoever wants little is not to suffer from
    /// what others want.
    static let least = 4
    /// Records read at once.
    private static let batch = 4096

    private struct Monitor {
        let filter: MonitorFilter
        let sink: any VerdictSink
        let ending: AsyncStream<APIError>.Continuation
        var queue = FairQueue()
        /// By generation.
        var raw: [UInt64: RawFilter] = [:]
        var lost: UInt64 = 0
        var tokens = MonitorHub.burst
        /// Records the kernel left out that would concern it, as last seen.
        var suppressed: UInt64
    }

    private struct State {
        var monitors: [UInt64: Monitor] = [:]
        var serial: UInt64 = 0
        var isEnding = false
    }

    private let state = Mutex(State())
    private let lost = Atomic<UInt64>(0)
    private let history: GenerationHistory
    private let thread = BlockingThread(name: "netpold-events", nice: 5)
    private let bell = Doorbell()
    private let codec = MessageCodec()
    private let listen: @Sendable (EventInterest) async throws -> EventReading
    private let counters: @Sendable () async -> DatapathCounters?
    private let denial: @Sendable (VerdictRecord) -> NameRecord?

    /// A hub without monitors.
    ///
    /// - Parameters:
    ///   - history: what the numbers in records stand for.
    ///   - listen: starts the writing of records.
    ///   - counters: the datapath's counters, as of about now.
    ///   - denial: the name for which a packet was refused.
    init(
        history: GenerationHistory, listen: @escaping @Sendable (EventInterest) async throws -> EventReading,
        counters: @escaping @Sendable () async -> DatapathCounters?,
        denial: @escaping @Sendable (VerdictRecord) -> NameRecord?
    ) {
        self.history = history
        self.listen = listen
        self.counters = counters
        self.denial = denial
    }

    /// Verdicts that were not sent, since the start.
    var eventsLost: UInt64 { lost.load(ordering: .relaxed) }

    /// Sends verdicts to `sink` until the task is cancelled, which is no error.
    ///
    /// - Returns: why there will be no more.
    func serve(_ filter: MonitorFilter, to sink: any VerdictSink) async -> APIError? {
        let seen = await counters().map { suppressed($0, filter) } ?? 0
        let (endings, ending) = AsyncStream.makeStream(of: APIError.self)
        let monitor = Monitor(filter: filter, sink: sink, ending: ending, suppressed: seen)
        let number: UInt64? = state.withLock { state in
            guard state.monitors.count < MonitorHub.monitorLimit else { return nil }
            state.serial += 1
            state.monitors[state.serial] = monitor
            return state.serial
        }
        guard let number else {
            return APIError(.unavailable, "there are \(MonitorHub.monitorLimit) monitors already")
        }
        defer {
            state.withLock { $0.monitors[number] = nil }
            bell.ring()
        }
        bell.ring()
        for await error in endings { return error }
        return nil
    }

    /// Reads events while there are monitors, until the task is cancelled. Then the datapath writes none any more.
    func run() async {
        await withDiscardingTaskGroup { group in
            group.addTask { await self.reportSuppressed() }
            for await _ in bell.rings {
                guard let interest else { continue }
                do {
                    let reading = try await listen(interest)
                    await withTaskCancellationHandler {
                        await thread.run { self.read(reading.reader, interest) }
                    } onCancel: {
                        state.withLock { $0.isEnding = true }
                    }
                } catch {
                    end(APIError(.unavailable, "events cannot be read: \(error)"))
                }
            }
            group.cancelAll()
        }
    }

    /// Which records are to be written; `nil` for none.
    private var interest: EventInterest? {
        state.withLock { state in
            guard !state.isEnding, !state.monitors.isEmpty else { return nil }
            return state.monitors.values.allSatisfy(\.filter.dropsOnly) ? .drops : .verdicts
        }
    }

    /// Whether anybody listens.
    var hasMonitors: Bool { state.withLock { !$0.monitors.isEmpty } }

    /// Sends what the proxy did not allow to those who want it, at their rate. `lost`: how many it could not tell of.
    func tell(_ denials: [RequestDenial], lost: UInt64) {
        let names = history.current.names
        let time = KernelTime.now.wallMilliseconds
        let verdicts = denials.compactMap { denial in denial.verdict(at: time, names).map { (denial, $0) } }
        let lines = verdicts.map { codec.line(.verdict($0.1)) }
        let orders = state.withLock { state in
            state.monitors.keys.compactMap { number -> (sink: any VerdictSink, lines: [Int], lost: UInt64)? in
                guard let monitor = state.monitors[number] else { return nil }
                let wanted = verdicts.indices.filter { verdicts[$0].0.isWanted(by: monitor.filter, verdicts[$0].1) }
                let sent = wanted.prefix(max(0, Int(monitor.tokens)))
                state.monitors[number]?.tokens -= Double(sent.count)
                return (monitor.sink, Array(sent), UInt64(wanted.count - sent.count) + lost)
            }
        }
        for order in orders {
            var missed = order.lost
            for index in order.lines where !order.sink.send(verdict: lines[index]) { missed += 1 }
            if order.lost > 0 { order.sink.send(lost: order.lost) }
            self.lost.add(missed, ordering: .relaxed)
        }
    }

    private func end(_ error: APIError) {
        state.withLock { state in
            for monitor in state.monitors.values {
                monitor.ending.yield(error)
                monitor.ending.finish()
            }
        }
    }

    // MARK: the thread

    /// Reads until nobody listens.
    private func read(_ reader: any VerdictReader, _ first: EventInterest) {
        let clock = ContinuousClock()
        var delivery = Delivery(now: clock.now)
        var written = first
        do {
            // Level, not edge: however fast monitors come and go, what is written follows who is there.
            while let interest {
                if interest != written {
                    try reader.listen(to: interest)
                    written = interest
                }
                let records = try reader.read()
                collect(records)
                deliver(&delivery, clock)
                // The reader waits by itself when there is nothing.
                if !records.isEmpty, records.count < MonitorHub.batch { Pause.sleep(MonitorHub.window) }
            }
        } catch {
            end(APIError(.unavailable, "events cannot be read: \(error)"))
        }
        try? reader.stop()
    }

    /// Puts records into the queues of those who want them.
    private func collect(_ records: [VerdictRecord]) {
        let generations = history.all
        state.withLock { state in
            for number in Array(state.monitors.keys) {
                guard var monitor = state.monitors[number] else { continue }
                // In place: the queue must have one owner.
                state.monitors[number] = nil
                monitor.raw = monitor.raw.filter { raw in generations.contains { $0.number == raw.key } }
                for record in records {
                    let generation = generations.count == 1 ? generations[0] : generations.generation(of: record)
                    let id = generation.number
                    if monitor.raw[id] == nil { monitor.raw[id] = RawFilter(monitor.filter, generation) }
                    if monitor.raw[id]?.accepts(record) == true, !monitor.queue.add(record) { monitor.lost += 1 }
                }
                state.monitors[number] = monitor
            }
        }
    }

    /// What the thread keeps between deliveries.
    private struct Delivery {
        var sending: WorkBudget
        var explaining: WorkBudget
        var last: ContinuousClock.Instant
        var resolvers: [UInt64: VerdictResolver] = [:]
        /// Lines of this delivery, for monitors that want the same.
        var lines: [VerdictRecord: [UInt8]] = [:]

        init(now: ContinuousClock.Instant) {
            sending = WorkBudget(share: MonitorHub.share, now: now)
            explaining = WorkBudget(share: MonitorHub.share, now: now)
            last = now
        }
    }

    /// One monitor's part of a delivery.
    private struct Order {
        let sink: any VerdictSink
        let records: [VerdictRecord]
        var lost: UInt64
    }

    private func deliver(_ delivery: inout Delivery, _ clock: ContinuousClock) {
        let now = clock.now
        let earned = (now - delivery.last) / .seconds(1) * MonitorHub.rate
        delivery.last = now
        delivery.sending.earn(now: now)
        delivery.explaining.earn(now: now)
        delivery.lines = [:]
        let generations = history.all
        delivery.resolvers = delivery.resolvers.filter { known in
            generations.contains { $0.number == known.key }
        }
        for order in orders(earned) {
            let (lines, left) = resolve(order.records, generations, &delivery, clock)
            var missed = order.lost + UInt64(left)
            // By time, as they happened; they were resolved in turns.
            for (_, line) in lines.sorted(by: { $0.time < $1.time }) where !order.sink.send(verdict: line) {
                missed += 1
            }
            let counted = order.lost + UInt64(left)
            if counted > 0 { order.sink.send(lost: counted) }
            lost.add(missed, ordering: .relaxed)
        }
    }

    /// What each monitor gets, the one with the fewest records first, so that the time it leaves is used for the others.
    private func orders(_ earned: Double) -> [Order] {
        state.withLock { state in
            state.monitors.keys.compactMap { number in
                guard var monitor = state.monitors[number] else { return nil }
                state.monitors[number] = nil
                defer { state.monitors[number] = monitor }
                monitor.tokens = min(MonitorHub.burst, monitor.tokens + earned)
                let (records, left) = monitor.queue.take(Int(monitor.tokens))
                monitor.tokens -= Double(records.count)
                let lost = monitor.lost + UInt64(left)
                monitor.lost = 0
                return Order(sink: monitor.sink, records: records, lost: lost)
            }.sorted { $0.records.count < $1.records.count }
        }
    }

    /// The lines of records, as far as the time allows, and how many it did not allow.
    private func resolve(
        _ records: [VerdictRecord], _ generations: [Generation], _ delivery: inout Delivery, _ clock: ContinuousClock
    ) -> (lines: [(time: UInt64, line: [UInt8])], left: Int) {
        var lines: [(time: UInt64, line: [UInt8])] = []
        for (index, record) in records.enumerated() {
            if let known = delivery.lines[record] {
                lines.append((record.time, known))
                continue
            }
            guard delivery.sending.isOpen || index < MonitorHub.least else { return (lines, records.count - index) }
            let line = line(of: record, generations.generation(of: record), &delivery, clock)
            delivery.lines[record] = line
            lines.append((record.time, line))
        }
        return (lines, 0)
    }

    private func line(
        of record: VerdictRecord, _ generation: Generation, _ delivery: inout Delivery, _ clock: ContinuousClock
    ) -> [UInt8] {
        let id = generation.number
        let start = clock.now
        var resolver = delivery.resolvers[id] ?? VerdictResolver(generation)
        delivery.resolvers[id] = nil
        let isExplained = VerdictResolver.isExplained(record)
        resolver.explainer = isExplained && delivery.explaining.isOpen ? generation.evaluator(makes: true) : nil
        let verdict = resolver.resolve(
            record, time: KernelTime(nanoseconds: record.time).wallMilliseconds, refused: denial(record))
        delivery.resolvers[id] = resolver
        let middle = clock.now
        let line = codec.line(.verdict(verdict))
        let end = clock.now
        if isExplained { delivery.explaining.spend(middle - start) } else { delivery.sending.spend(middle - start) }
        delivery.sending.spend(end - middle)
        return line
    }

    // MARK: what the kernel left out

    /// Tells monitors what the kernel did not write, while there are any.
    private func reportSuppressed() async {
        while (try? await Task.sleep(for: .seconds(1))) != nil {
            guard interest != nil, let counters = await counters() else { continue }
            let losses = state.withLock { state in
                state.monitors.map { number, monitor in
                    let now = suppressed(counters, monitor.filter)
                    state.monitors[number]?.suppressed = now
                    return (monitor.sink, now > monitor.suppressed ? now - monitor.suppressed : 0)
                }
            }
            // Each monitor is told; status has them from the kernel, once.
            for (sink, count) in losses where count > 0 { sink.send(lost: count) }
        }
    }

    /// How many of the records that the kernel left out may have been for a monitor.
    private func suppressed(_ counters: DatapathCounters, _ filter: MonitorFilter) -> UInt64 {
        if filter.pod != nil {
            let slots = RawFilter(filter, history.current).slots
            return counters.suppressedDrops.filter { slots.contains($0.key) }.values.reduce(0, +)
        }
        return counters.suppressedEvents.filter { !filter.dropsOnly || VerdictReason.isDrop(wire: $0.key) }.values
            .reduce(0, +)
    }
}
