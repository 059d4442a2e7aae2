import NIOCore
import Synchronization

/// Follows one kind of objects: does what `WatchMachine` says, one request at a time.
public final class KindFollower: Sendable {
    /// What the machine and its time are.
    private struct State {
        var machine: WatchMachine
        /// Counts requests: events of an earlier one do not count any more.
        var epoch = 0
        /// Counts steps of the machine.
        var steps = 0
        /// How much of the time was not spent in waiting for the server, and since when it is not.
        var away = Duration.zero
        var awaySince: ContinuousClock.Instant?
        /// Whether everything is to be listed again.
        var isRelistWanted = false
        /// Interrupts the request under way.
        var interrupt: AsyncStream<Void>.Continuation?

        mutating func step(_ event: WatchEvent, at now: Duration) -> Outcome {
            steps += 1
            return Outcome(step: steps, actions: machine.on(event, at: now))
        }
    }

    /// What followed from an event of a request, and which step of the machine that was.
    private struct Outcome {
        let step: Int
        let actions: [WatchAction]
    }

    private enum Request {
        case list(ListQuery)
        case watch(WatchQuery)
    }

    private enum Signal {
        case time
        case appeared
        case relist
    }

    private let places: [ResourcePlace]
    private let accept: String
    private let transport: any KubeTransport
    private let sink: any KindSink
    private let state: Mutex<State>
    private let begin = ContinuousClock.now
    private let signals: AsyncStream<Signal>
    private let signal: AsyncStream<Signal>.Continuation

    /// Nothing is asked yet. `places` are where the kind may be, the best first; `accept` is the form in which objects are
    /// wanted; the number of places in `settings` is that of those given here; `seed` is of the delays.
    public init(
        _ places: [ResourcePlace], accept: String = "application/json", settings: WatchSettings,
        transport: any KubeTransport, sink: any KindSink, seed: UInt64 = .random(in: .min ... .max)
    ) {
        self.places = places
        self.accept = accept
        self.transport = transport
        self.sink = sink
        var settings = settings
        settings.places = places.count
        state = Mutex(State(machine: WatchMachine(settings, seed: seed)))
        (signals, signal) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(4))
    }

    /// Somebody knows that the kind may have appeared.
    public func appeared() { signal.yield(.appeared) }

    /// Everything is to be listed again: the sink gets `KindChange.begin` after this call, and then the new set. Of a kind that
    /// is missing it gets nothing, if that is still so.
    public func relist() {
        let interrupt = state.withLock { state in
            state.isRelistWanted = true
            return state.interrupt
        }
        interrupt?.yield()
        signal.yield(.relist)
    }

    /// What follows from a wish to list again that came and was not heeded yet.
    private func heedRelist() -> Outcome? {
        state.withLock { state -> Outcome? in
            guard state.isRelistWanted else { return nil }
            state.isRelistWanted = false
            state.epoch += 1
            return state.step(.relist, at: now(state))
        }
    }

    /// Whether `appeared` will be called when a missing kind appears.
    public func announced(_ isAnnounced: Bool) {
        state.withLock { _ = $0.machine.on(.announced(isAnnounced), at: now($0)) }
        // Whoever waits may have to wait less.
        signal.yield(.time)
    }

    /// Follows until the task is cancelled. To be called once.
    public func run() async {
        var iterator = signals.makeAsyncIterator()
        var actions = step(.start)
        while !Task.isCancelled {
            let request = await perform(actions)
            if let request {
                actions = await outcome(of: request)
            } else if let next = await wait(&iterator) {
                actions = next
            }
        }
    }

    // MARK: machine

    /// Time that was spent in waiting for the server: what this side takes for its own work is no silence of the other.
    private func now(_ state: borrowing State) -> Duration {
        (state.awaySince ?? .now) - begin - state.away
    }

    private func step(_ event: WatchEvent) -> [WatchAction] {
        state.withLock { state in
            state.epoch += 1
            return state.machine.on(event, at: now(state))
        }
    }

    /// An event of the request `epoch`; `nil` when that has been given up.
    private func step(_ event: WatchEvent, of epoch: Int) -> Outcome? {
        state.withLock { state in
            guard state.epoch == epoch else { return nil }
            return state.step(event, at: now(state))
        }
    }

    /// Gives what came to whom it is for; answers what that one cannot believe of it.
    @discardableResult
    private func give(_ changes: [KindChange]) async -> String? {
        guard !changes.isEmpty else { return nil }
        state.withLock { $0.awaySince = .now }
        let doubt = await sink.take(changes)
        state.withLock { state in
            if let since = state.awaySince { state.away += .now - since }
            state.awaySince = nil
        }
        return doubt
    }

    /// Gives the last events of a request, of which it is decided already how it ends: what is not believed is listed again after that.
    private func giveLast(_ changes: [KindChange]) async {
        if await give(changes) != nil { relist() }
    }

    /// Does what is no request; returns the request that is to follow.
    private func perform(_ actions: [WatchAction]) async -> Request? {
        var request: Request?
        var changes: [KindChange] = []
        for action in actions {
            switch action {
            case .list(let query): request = .list(query)
            case .watch(let query): request = .watch(query)
            case .begin: changes.append(.begin)
            case .replace: changes.append(.replace)
            case .discard: changes.append(.discard)
            case .remove: changes.append(.remove)
            case .health(let health): changes.append(.health(health))
            case .reloadCredentials: await transport.reloadCredentials()
            case .renewConnections: await transport.renewConnections()
            case .cancel, .collect, .apply: break  // done where the event was
            }
        }
        await give(changes)
        return request
    }

    /// Waits until the machine wants to be woken; `nil` when nothing follows from what woke it.
    private func wait(_ iterator: inout AsyncStream<Signal>.Iterator) async -> [WatchAction]? {
        let left = state.withLock { state in state.machine.deadline.map { $0 - now(state) } } ?? .seconds(3600)
        let signal = signal
        let woken = await withTaskGroup(of: Void.self) { group in
            group.addTask {
                guard (try? await Task.sleep(for: max(left, .zero))) != nil else { return }
                signal.yield(.time)
            }
            let woken = await iterator.next()
            group.cancelAll()
            return woken
        }
        switch woken {
        case .time: return step(.wake)
        case .appeared: return step(.appeared)
        case .relist: return heedRelist()?.actions
        case nil: return nil
        }
    }

    // MARK: requests

    /// Sends a request and reads its answer, for as long as the machine waits for it; returns what is to be done then.
    private func outcome(of request: Request) async -> [WatchAction] {
        let (interrupts, interrupt) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        let epoch = state.withLock { state in
            state.epoch += 1
            _ = state.machine.on(.sent, at: now(state))
            state.interrupt = interrupt
            // Since the request before.
            if state.isRelistWanted { interrupt.yield() }
            return state.epoch
        }
        defer { state.withLock { $0.interrupt = nil } }
        return await withTaskGroup(of: Outcome?.self) { group in
            group.addTask { await self.read(request, epoch) }
            group.addTask { await self.watchOver(epoch) }
            group.addTask {
                for await _ in interrupts { if let outcome = self.heedRelist() { return outcome } }
                return nil
            }
            // The machine may have gone on while what followed from the event before was being done: nothing that it said is left out.
            var outcomes: [Outcome] = []
            while let ended = await group.next() {
                guard let outcome = ended else { continue }
                outcomes.append(outcome)
                group.cancelAll()
            }
            return outcomes.sorted { $0.step < $1.step }.flatMap(\.actions)
        }
    }

    /// Returns when the machine has waited long enough for a request.
    private func watchOver(_ epoch: Int) async -> Outcome? {
        while !Task.isCancelled {
            let (left, outcome) = state.withLock { state -> (Duration, Outcome?) in
                guard state.epoch == epoch, let deadline = state.machine.deadline else { return (.seconds(3600), nil) }
                let left = deadline - now(state)
                guard left <= .zero else { return (left, nil) }
                let outcome = state.step(.wake, at: now(state))
                guard !outcome.actions.isEmpty else { return (.milliseconds(100), nil) }
                state.epoch += 1
                return (.zero, outcome)
            }
            if let outcome { return outcome }
            try? await Task.sleep(for: max(left, .milliseconds(5)))
        }
        return nil
    }

    private func read(_ request: Request, _ epoch: Int) async -> Outcome? {
        do throws(RequestFailure) {
            switch request {
            case .list(let query):
                var message = KubeRequest(places[query.place].target(query))
                message.accept = accept
                return try await transport.send(message) { response throws(RequestFailure) in
                    try await self.list(response, query.place, epoch)
                }
            case .watch(let query):
                var message = KubeRequest(places[query.place].target(query))
                message.accept = accept
                message.acceptsGzip = false
                return try await transport.send(message) { response throws(RequestFailure) in
                    try await self.watch(response, query.place, epoch)
                }
            }
        } catch {
            return step(.failed(error), of: epoch)
        }
    }

    private func list(
        _ response: KubeResponse, _ place: Int, _ epoch: Int
    ) async throws(RequestFailure) -> Outcome? {
        var reader = response.body.reader()
        guard response.status == 200 else { throw await believed(await response.refusal(&reader), place) }
        _ = step(.opened, of: epoch)
        var bytes: [UInt8] = []
        while let chunk = try await reader.next() {
            guard bytes.count + chunk.readableBytes <= KubeLimits.answerBytes else {
                throw .tooLarge(limit: KubeLimits.answerBytes)
            }
            bytes += chunk.readableBytesView
            guard step(.progress, of: epoch) != nil else { return nil }
        }
        let page: ListPage
        do throws(EnvelopeFailure) {
            page = try ListPage(parsing: bytes, as: forms(place))
        } catch {
            throw .garbled("the list makes no sense: \(error)")
        }
        let outcome = step(
            .page(version: page.resourceVersion, next: page.next, isEmpty: page.items.isEmpty), of: epoch)
        if let outcome, outcome.actions.contains(.collect) { await give([.page(page, place: place)]) }
        return outcome
    }

    /// What lists of a place may say that they are, in the form that was asked for.
    private func forms(_ place: Int) -> [ListForm] {
        let whole = [places[place].listForm]
        return accept.contains("as=\(ListForm.metadata.kind)") ? whole + [.metadata] : whole
    }

    private func watch(
        _ response: KubeResponse, _ place: Int, _ epoch: Int
    ) async throws(RequestFailure) -> Outcome? {
        var reader = response.body.reader()
        guard response.status == 200 else { throw await believed(await response.refusal(&reader), place) }
        guard let opened = step(.opened, of: epoch) else { return nil }
        _ = await perform(opened.actions)
        var splitter = LineSplitter(limit: KubeLimits.eventBytes)
        while let chunk = try await reader.next() {
            let lines: [ArraySlice<UInt8>]
            do throws(LineSplitter.TooLong) {
                lines = try splitter.take(chunk.readableBytesView)
            } catch {
                throw .garbled("the watch sends \(error)")
            }
            switch try await take(lines, place, epoch) {
            case .more: continue
            case .over(let outcome): return outcome
            }
        }
        return step(.ended, of: epoch)
    }

    /// How a watch goes on after some events.
    private enum Course {
        case more
        /// With what is to be done; `nil` when the request was given up meanwhile.
        case over(Outcome?)
    }

    /// Takes the events of one chunk.
    private func take(
        _ lines: [ArraySlice<UInt8>], _ place: Int, _ epoch: Int
    ) async throws(RequestFailure) -> Course {
        var batch = EventBatch(place: place)
        for text in lines {
            let line: WatchLine
            do throws(EnvelopeFailure) {
                line = try WatchLine(parsing: text)
            } catch {
                await give(batch.finish())
                throw .garbled("an event makes no sense: \(error)")
            }
            guard !line.lacksName else {
                // It says that something happened, and not to what: a list says what there is.
                await give(batch.finish())
                throw .garbled("an event makes no sense: its object has no name that can be read")
            }
            let event = KindFollower.event(line)
            guard let outcome = step(event, of: epoch) else {
                await giveLast(batch.finish())
                return .over(nil)
            }
            for action in outcome.actions {
                switch action {
                case .apply: batch.add(line, isInitial: false)
                case .collect: batch.add(line, isInitial: true)
                case .replace: batch.add(.replace)
                case .health(let health): batch.add(.health(health))
                case .cancel, .list, .watch, .begin, .discard, .remove, .reloadCredentials, .renewConnections: break
                }
            }
            if case .error = event {
                await giveLast(batch.finish())
                return .over(outcome)
            }
        }
        guard let doubt = await give(batch.finish()) else { return .more }
        let outcome = step(.failed(.garbled("an event makes no sense: \(doubt)")), of: epoch)
        // Given up meanwhile: what comes next may be a watch from a version behind these events.
        if outcome == nil { relist() }
        return .over(outcome)
    }

    private static func event(_ line: WatchLine) -> WatchEvent {
        switch line.kind {
        case .added, .modified, .deleted: .object(version: line.head.resourceVersion)
        case .bookmark:
            .bookmark(version: line.head.resourceVersion, endsInitialEvents: line.head.endsInitialEvents)
        case .error: .error(StatusObject(parsing: line.object) ?? StatusObject(code: 0, message: "an ERROR event"))
        }
    }

    /// A refusal; one that says that a path is unknown only if an API server says so, and has the kind in no other version either: objects of
    /// a kind whose version is not served any more are still there. Other servers written in Go use the same words, those in front
    /// of API servers among them.
    private func believed(_ refusal: RequestFailure, _ place: Int) async -> RequestFailure {
        guard case .status(let answer) = refusal, answer.saysUnknownPath else { return refusal }
        func doubt(_ why: String) -> RequestFailure {
            .status(RequestFailure.Refusal(code: 404, text: "\(answer.text), and \(why)"))
        }
        let asked = places[place]
        guard let versions = await document("/apis").flatMap({ Discovery.versions(of: asked.group, in: $0) }) else {
            return doubt("/apis is not answered by an API server")
        }
        let known = places.filter { $0.group == asked.group }.map(\.version)
        for version in versions where !known.contains(version) {
            let path = "/apis/\(asked.group)/\(version)"
            guard let resources = await document(path).flatMap(Discovery.resources) else {
                return doubt("what \(path) has cannot be read")
            }
            guard !resources.contains(asked.plural) else {
                return doubt(
                    "\(asked.plural) are served as \(asked.group)/\(version), which netpold does not read: serve \(known.joined(separator: " or ")) too"
                )
            }
        }
        return refusal
    }

    /// What a path answers with 200; `nil` for everything else.
    private func document(_ path: String) async -> [UInt8]? { try? await transport.document(KubeRequest(path)) }
}

/// Events of one chunk, put together for the sink in order.
private struct EventBatch {
    let place: Int
    private var changes: [KindChange] = []
    private var lines: [WatchLine] = []
    private var isInitial = false

    init(place: Int) {
        self.place = place
    }

    mutating func add(_ line: WatchLine, isInitial: Bool) {
        if isInitial != self.isInitial { flush() }
        self.isInitial = isInitial
        lines.append(line)
    }

    mutating func add(_ change: KindChange) {
        flush()
        changes.append(change)
    }

    mutating func finish() -> [KindChange] {
        flush()
        defer { changes = [] }
        return changes
    }

    private mutating func flush() {
        guard !lines.isEmpty else { return }
        changes.append(isInitial ? .initial(lines, place: place) : .events(lines, place: place))
        lines = []
    }
}
