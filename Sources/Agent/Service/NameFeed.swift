public import BPFEmit
import Glibc
import Logging
import Support
import Synchronization

/// Takes what programs tell about names into the history, writes that down, and removes what has ended.
public final class NameFeed: Sendable {
    /// How often what has ended is removed.
    private static let collection = Duration.seconds(60)
    /// How often the history is written down at most.
    private static let saving = Duration.seconds(2)

    /// The history.
    public let history: NameHistory
    private let reader: any NameReading
    private let file: RecordFile<[NameRecords.Pod]>?
    private let denials = Mutex(RecentDenials())
    /// Pods that have learnt something since they were asked for, whoever has drained the ring.
    private let news = Mutex<Set<EndpointKey>>([])
    private let uses = Mutex<[EndpointKey: LearntUse]>([:])

    /// A feed of a history, which is kept in a file.
    public init(history: NameHistory, reader: any NameReading, file: RecordFile<[NameRecords.Pod]>? = nil) {
        self.history = history
        self.reader = reader
        self.file = file
    }

    /// How long an apply waits for what is there: what is left the feed takes right after, and puts into force itself.
    public static let patience = Duration.milliseconds(20)

    /// Takes what is there, without waiting; no more once `limit` is over.
    public func drain(for limit: Duration = .seconds(1)) throws {
        let end = ContinuousClock.now + limit
        // The ring keeps what comes before anybody has said whose the slots are.
        guard history.hasPods else { return }
        // No more than what was there: a pod that goes on writing must not keep anybody here.
        for _ in 0..<16 {
            let records = try reader.take()
            if records.isEmpty { break }
            denials.withLock { $0.add(records) }
            let learning = history.take(records)
            news.withLock { $0.formUnion(learning) }
            if .now > end { break }
        }
    }

    private func takeNews() -> Set<EndpointKey> {
        news.withLock { news in
            defer { news = [] }
            return news
        }
    }

    /// The name for which a packet was refused; `nil` where it was for none, or nobody told.
    func denial(of packet: VerdictRecord) -> NameRecord? {
        guard RecentDenials.kind(packet) != nil else { return nil }
        if let known = denials.withLock({ $0.name(of: packet) }) { return known }
        // Told before the packet was, so it is in the ring.
        try? drain()
        return denials.withLock { $0.name(of: packet) }
    }

    /// What a pod has of the table of learnt addresses, as of the latest collection.
    public func use(of pod: EndpointKey) -> LearntUse? { uses.withLock { $0[pod] } }

    /// Works until the task is cancelled.
    func run(_ published: PublishedSnapshot, _ worker: DatapathWorker, _ reconciler: Reconciler, _ logger: Logger) async
    {
        let thread = BlockingThread(name: "netpold-names")
        var applied: UInt64 = 0
        var changed = ContinuousClock.now
        var collected = ContinuousClock.now
        var saved = ContinuousClock.now
        var isFirst = true
        while !Task.isCancelled {
            let endpoints = published.current.facts.report?.endpoints ?? []
            if published.current.applyCount != applied {
                applied = published.current.applyCount
                changed = .now
            }
            let slots = Dictionary(endpoints.map { ($0.slot, $0.key) }) { first, _ in first }
            // Before the first apply nobody knows whose a slot is; the ring keeps what comes.
            guard !slots.isEmpty else {
                guard (try? await Task.sleep(for: .milliseconds(100))) != nil else { return }
                continue
            }
            history.setPods(slots, at: MonotonicClock.nanoseconds)
            do {
                try await thread.run {
                    try self.reader.wait()
                    try self.drain()
                }
                let news = takeNews()
                // What was learnt while policies changed may have been learnt under the numbers before.
                if history.isShared ? !news.isEmpty : (isFirst || .now - changed < .seconds(2)) && !news.isEmpty {
                    let pods = history.isShared ? Array(slots.values) : Array(news)
                    let look = history.look()
                    try await worker.learn(Dictionary(pods.map { ($0, look($0)) }) { first, _ in first })
                }
                isFirst = false
                if .now - collected > NameFeed.collection {
                    collected = .now
                    history.forget(before: MonotonicClock.seconds)
                    let uses = try await worker.collectLearnt()
                    self.uses.withLock { $0 = uses }
                    await reconciler.take(names: Condition.learntFull(uses))
                }
            } catch {
                logger.error("what pods learn of names cannot be read", metadata: ["error": "\(error)"])
                guard (try? await Task.sleep(for: .seconds(1))) != nil else { return }
            }
            if .now - saved > NameFeed.saving {
                saved = .now
                await save(on: thread, logger)
            }
        }
        await save(on: thread, logger)
    }

    private func save(on thread: BlockingThread, _ logger: Logger) async {
        guard let file, let pods = history.takeUnsaved() else { return }
        do {
            try await thread.run { try file.save(pods) }
        } catch {
            logger.error(
                "what pods have learnt cannot be written down: a restart would not know it",
                metadata: ["error": "\(error)"])
        }
    }
}
