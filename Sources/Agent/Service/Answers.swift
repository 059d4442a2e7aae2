import BPFEmit
import Glibc
import Support
import Synchronization

/// Makes the answers to clients from what is published, on a thread of its own: however much is asked, neither the
/// reconciler nor the cooperative pool has to do with it.
actor Answers {
    /// A line made for one client serves whoever asks within this time, if nothing has changed.
    private static let freshness = Duration.milliseconds(100)

    private struct Made {
        var line: [UInt8]
        var snapshot: UInt64
        var counters: UInt64
        var lost: UInt64
        var time: ContinuousClock.Instant
    }

    private let instance: String
    private let services: ServiceChoice?
    private let proxyState: String?
    private let started = ContinuousClock.now
    private let published: PublishedSnapshot
    private let worker: DatapathWorker
    private let reconciler: Reconciler
    private let cache: CounterCache
    private let hub: MonitorHub
    private let codec = MessageCodec()
    private let executor = ThreadExecutor(name: "netpold-answers")
    private var made: Made?

    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    init(
        instance: String, services: ServiceChoice?, proxyState: String?, published: PublishedSnapshot,
        worker: DatapathWorker,
        reconciler: Reconciler,
        cache: CounterCache,
        hub: MonitorHub
    ) {
        self.instance = instance
        self.services = services
        self.proxyState = proxyState
        self.published = published
        self.worker = worker
        self.reconciler = reconciler
        self.cache = cache
        self.hub = hub
    }

    /// The line that answers `status`.
    func status() async -> [UInt8] {
        let reading = await cache.latest()
        let snapshot = published.current
        let lost = hub.eventsLost
        let now = ContinuousClock.now
        if let made, made.snapshot == snapshot.number, made.counters == reading.number, made.lost == lost,
            now - made.time < Answers.freshness
        {
            return made.line
        }
        let line = codec.line(.status(report(snapshot, reading, now)))
        made = Made(line: line, snapshot: snapshot.number, counters: reading.number, lost: lost, time: now)
        return line
    }

    /// The health as of now.
    nonisolated func health() -> Health { health(published.current, .now) }

    private nonisolated func health(_ snapshot: AgentSnapshot, _ now: ContinuousClock.Instant) -> Health {
        snapshot.health(now: now, busySince: worker.busySince, readings: reconciler.readings)
    }

    private func report(
        _ snapshot: AgentSnapshot, _ reading: CounterCache.Reading, _ now: ContinuousClock.Instant
    ) -> StatusReport {
        let endpoints = snapshot.facts.report?.endpoints ?? []
        let failed = endpoints.count { $0.failure != nil }
        var attachments: [String: Int] = [:]
        for endpoint in endpoints where endpoint.failure == nil {
            attachments[endpoint.attachment.rawValue, default: 0] += 1
        }
        let reasons = (reading.counters?.reasons ?? [:]).sorted { $0.key < $1.key }.map { number, count in
            StatusReport.ReasonCount(
                reason: VerdictReason.name(wire: number), sentence: VerdictReason.sentence(wire: number),
                isDrop: VerdictReason.isDrop(wire: number), count: count)
        }
        return StatusReport(
            instance: instance, processID: getpid(),
            uptimeSeconds: UInt64(max(0, (now - started).components.seconds)), applyCount: snapshot.applyCount,
            isInForce: snapshot.isInForce, health: health(snapshot, now),
            policiesInForce: snapshot.policiesInForce, policiesRefused: snapshot.policiesRefused,
            endpointsReady: endpoints.count - failed,
            endpointsWaiting: snapshot.facts.view.waiting.count + failed,
            namespacesUnknown: snapshot.facts.view.strangers, attachments: attachments,
            lastApplyMilliseconds: UInt64(max(0, snapshot.lastApply / .milliseconds(1))),
            services: services, fastPath: snapshot.fastPath.map { FastPathStatus($0) },
            proxy: proxyState.flatMap(ProxyStatus.read),
            namesLeftOut: snapshot.facts.report.flatMap { $0.patternsLeftOut.isEmpty ? nil : $0.patternsLeftOut },
            capacities: reading.capacities,
            reasons: reasons,
            eventsSuppressed: reading.counters?.suppressedEvents.values.reduce(0, +) ?? 0, eventsLost: hub.eventsLost,
            conditions: snapshot.facts.conditions)
    }
}
