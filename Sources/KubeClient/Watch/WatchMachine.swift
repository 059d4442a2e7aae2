/// Follows one kind of objects at an API server: a list, then watches that go on from it. Events in, actions out; no I/O and
/// no clock: the time of each event is given.
///
/// What holds, each with a test by name:
///
/// 1. Objects that were read stay in force until a complete new set takes their place at once, or the server says of each
///    that it is gone, or says twice that there is no such kind.
/// 2. A watch that says nothing for `silenceLimit` is deaf: a version of the future, a connection that is only half there.
/// 3. A list begins from the start when its continue token has expired: the rest of it would be of another time.
/// 4. What ends in order without a reason (slow readers, schema changes) goes on from the last version; what has expired is
///    listed again at once, and again only after a delay.
/// 5. A list has an end: a continue token comes once, and all pages within `listLimit`.
public struct WatchMachine: Sendable {
    /// What is being done.
    private enum State: Hashable, Sendable {
        case idle
        /// Pages are being read.
        case listing(version: String?)
        /// The objects come as the first events of a watch.
        case initialEvents
        case watching(version: String, opened: Duration?)
        case waiting(Resume)
    }

    /// What a delay ends with.
    private enum Resume: Hashable, Sendable {
        case list
        case watch(version: String)
    }

    /// The settings.
    public let settings: WatchSettings
    /// When the machine wants to be woken; `nil` for never.
    public private(set) var deadline: Duration?
    private var state = State.idle
    private var backoff: Backoff
    private var health = KindHealth.starting
    /// Failures since something last went well.
    private var failures = 0
    /// Versions that have expired since something last went well.
    private var expirations = 0
    /// Answers that made no sense since a watch last went well for `shortWatch`: of a server that sends nonsense, an event before it
    /// is no sign that it is well again.
    private var garbles = 0
    /// Which place of the kind is asked.
    private var place = 0
    /// How many places in a row said that they do not exist.
    private var missing = 0
    /// Whether a set of objects is in force.
    private var hasSet = false
    /// How often more a missing kind is soon asked for again.
    private var eager = 0
    /// Whether somebody says when a missing kind appears.
    private var isAnnounced = false
    /// Whether the next list is asked for as events.
    private var streams: Bool
    /// How many lists are to go well before that is tried again, and how many after the next failure.
    private var listsLeft = 0
    private var patience: Int
    /// Objects of the next page.
    private var limit: Int
    /// The list at hand: when it began, hashes of the continue tokens that it had, and whether its last page was empty.
    private var begun = Duration.zero
    private var tokens: Set<Int> = []
    private var wasEmpty = false

    /// A machine that has not begun. Equal seeds make equal delays.
    public init(_ settings: WatchSettings, seed: UInt64) {
        self.settings = settings
        backoff = Backoff(seed: seed)
        streams = settings.streamsLists
        patience = settings.listsBeforeStreaming
        limit = settings.pageLimit
    }

    /// Takes an event that happened at `now`; the actions are to be done in order.
    public mutating func on(_ event: WatchEvent, at now: Duration) -> [WatchAction] {
        switch event {
        case .start: list(now)
        case .sent: sent(now)
        case .opened: opened(now)
        case .progress: progress(now)
        case .page(let version, let next, let isEmpty): page(version, next, isEmpty, now)
        case .object(let version): object(version, now)
        case .bookmark(let version, let endsInitialEvents): bookmark(version, endsInitialEvents, now)
        case .error(let status): error(status, now)
        case .ended: ended(now)
        case .failed(let failure): failed(failure, now)
        case .wake: wake(now)
        case .appeared: appeared(now)
        case .relist: relist(now)
        case .announced(let isAnnounced): announced(isAnnounced, now)
        }
    }

    // MARK: requests

    /// Begins a new set.
    private mutating func list(_ now: Duration) -> [WatchAction] {
        deadline = now + settings.answerLimit
        if streams {
            state = .initialEvents
            return [
                .begin, .watch(WatchQuery(place: place, version: nil, seconds: backoff.pick(settings.watchSeconds))),
            ]
        }
        state = .listing(version: nil)
        begun = now
        tokens = []
        wasEmpty = false
        return [.begin, .list(ListQuery(place: place, limit: limit))]
    }

    private mutating func watch(_ version: String, _ now: Duration) -> [WatchAction] {
        state = .watching(version: version, opened: nil)
        deadline = now + settings.answerLimit
        return [
            .watch(WatchQuery(place: place, version: version, seconds: backoff.pick(settings.watchSeconds)))
        ]
    }

    private mutating func resume(_ what: Resume, _ now: Duration) -> [WatchAction] {
        switch what {
        case .list: list(now)
        case .watch(let version): watch(version, now)
        }
    }

    /// What is thrown away when the request at hand is over; what to do instead of it later.
    private var interrupted: (actions: [WatchAction], resume: Resume) {
        switch state {
        case .idle: ([], .list)
        case .listing, .initialEvents: ([.discard], .list)
        case .watching(let version, _): ([], .watch(version: version))
        case .waiting(let resume): ([], resume)
        }
    }

    // MARK: answers

    private mutating func sent(_ now: Duration) -> [WatchAction] {
        switch state {
        case .idle, .waiting: break
        case .listing, .initialEvents, .watching: deadline = now + settings.answerLimit
        }
        return []
    }

    private mutating func opened(_ now: Duration) -> [WatchAction] {
        switch state {
        case .idle, .waiting: return []
        case .listing, .initialEvents:
            deadline = now + settings.answerLimit
            return []
        case .watching(let version, _):
            state = .watching(version: version, opened: now)
            deadline = now + settings.silenceLimit
            return report(.following)
        }
    }

    private mutating func progress(_ now: Duration) -> [WatchAction] {
        if case .listing = state { deadline = now + settings.answerLimit }
        return []
    }

    private mutating func page(
        _ version: String, _ next: String?, _ isEmpty: Bool, _ now: Duration
    ) -> [WatchAction] {
        guard case .listing(let first) = state else { return [] }
        if let first, first != version {
            return garbled("the pages of a list are of versions \(first) and \(version)", now)
        }
        if let next {
            if let why = endlessness(next, isEmpty, now) { return garbled(why, now) }
            state = .listing(version: version)
            deadline = now + settings.answerLimit
            return [.collect, .list(ListQuery(place: place, limit: limit, from: next))]
        }
        let actions: [WatchAction] = [.collect] + complete()
        tokens = []
        limit = min(limit * 2, settings.pageLimit)
        listsLeft -= 1
        if settings.streamsLists, listsLeft <= 0 { streams = true }
        return actions + watch(version, now)
    }

    /// Why the list at hand comes to no end; `nil` when it may.
    private mutating func endlessness(_ next: String, _ isEmpty: Bool, _ now: Duration) -> String? {
        defer { wasEmpty = isEmpty }
        guard tokens.insert(next.hashValue).inserted else {
            return "the list has no end: a page is followed by one that was there before"
        }
        guard !(isEmpty && wasEmpty) else { return "the list has no end: page after page is empty" }
        guard now - begun < settings.listLimit else {
            return "the list has no end: more pages follow after \(settings.listLimit)"
        }
        return nil
    }

    /// Lists are asked for in pages for some time.
    private mutating func stopStreaming() {
        streams = false
        listsLeft = patience
        patience = min(patience * 2, 64)
    }

    /// The new set is all there.
    private mutating func complete() -> [WatchAction] {
        // Failures count on: a list whose watch never comes to anything is not to be asked for again without a pause.
        missing = 0
        hasSet = true
        return [.replace] + report(.following)
    }

    private mutating func object(_ version: String, _ now: Duration) -> [WatchAction] {
        switch state {
        case .idle, .listing, .waiting: return []
        case .initialEvents:
            deadline = now + settings.answerLimit
            return [.collect]
        case .watching(let before, let opened):
            wentWell(opened, now)
            deadline = now + settings.silenceLimit
            state = .watching(version: version.isEmpty ? before : version, opened: opened ?? now)
            return [.apply]
        }
    }

    private mutating func bookmark(_ version: String, _ endsInitialEvents: Bool, _ now: Duration) -> [WatchAction] {
        switch state {
        case .idle, .listing, .waiting: return []
        case .initialEvents:
            deadline = now + settings.answerLimit
            guard endsInitialEvents, !version.isEmpty else { return [] }
            let actions = complete()
            patience = settings.listsBeforeStreaming
            state = .watching(version: version, opened: now)
            deadline = now + settings.silenceLimit
            return actions
        case .watching(let before, let opened):
            wentWell(opened, now)
            deadline = now + settings.silenceLimit
            state = .watching(version: version.isEmpty ? before : version, opened: opened ?? now)
            return []
        }
    }

    /// Something came of a watch that was opened then.
    private mutating func wentWell(_ opened: Duration?, _ now: Duration) {
        failures = 0
        expirations = 0
        if let opened, now - opened >= settings.shortWatch { garbles = 0 }
    }

    // MARK: ends

    private mutating func error(_ status: StatusObject, _ now: Duration) -> [WatchAction] {
        let refusal = RequestFailure.Refusal(code: status.code, status: status, retryAfter: status.retryAfter)
        return [.cancel] + failed(.status(refusal), now)
    }

    private mutating func ended(_ now: Duration) -> [WatchAction] {
        switch state {
        case .idle, .waiting: return []
        case .listing: return garbled("the list ended before its end", now)
        case .initialEvents:
            // A server that does not mark their end, or a reader that was too slow for them.
            stopStreaming()
            return [.discard] + list(now)
        case .watching(let version, let opened):
            if let opened, now - opened >= settings.shortWatch {
                wentWell(opened, now)
                return watch(version, now)
            }
            return fail(.busy, "the watch ended as soon as it had begun", .watch(version: version), now)
        }
    }

    private mutating func wake(_ now: Duration) -> [WatchAction] {
        guard let deadline, now >= deadline else { return [] }
        switch state {
        case .idle: return []
        case .waiting(let what): return resume(what, now)
        case .initialEvents:
            stopStreaming()
            return [.cancel, .discard, .renewConnections]
                + fail(.unreachable, "no answer within \(settings.answerLimit)", .list, now)
        case .listing:
            return [.cancel, .discard, .renewConnections]
                + fail(.unreachable, "no answer within \(settings.answerLimit)", .list, now)
        case .watching(let version, nil):
            return [.cancel, .renewConnections]
                + fail(.unreachable, "no answer within \(settings.answerLimit)", .watch(version: version), now)
        case .watching:
            // Deaf. The connection may be well: the version may be one that the server has never had.
            return [.cancel] + list(now)
        }
    }

    private mutating func appeared(_ now: Duration) -> [WatchAction] {
        guard case .waiting(.list) = state, health == .absent else { return [] }
        place = 0
        // It is served some 0.3 s after it is made.
        eager = 6
        return list(now)
    }

    /// A list that has begun may be of a time before this wish.
    private mutating func relist(_ now: Duration) -> [WatchAction] {
        switch state {
        case .idle: []
        case .listing, .initialEvents: [.cancel, .discard] + list(now)
        case .watching: [.cancel] + list(now)
        case .waiting: list(now)
        }
    }

    private mutating func announced(_ isAnnounced: Bool, _ now: Duration) -> [WatchAction] {
        let wasAnnounced = self.isAnnounced
        self.isAnnounced = isAnnounced
        if case .waiting(.list) = state, health == .absent, wasAnnounced, !isAnnounced, let due = deadline {
            deadline = min(due, now + backoff.spread(settings.absentPoll))
        }
        return []
    }

    private mutating func failed(_ failure: RequestFailure, _ now: Duration) -> [WatchAction] {
        if case .watching(_, let opened?) = state, now - opened >= settings.shortWatch { wentWell(opened, now) }
        return switch failure {
        case .connection(let why): again(.unreachable, why, now)
        case .garbled(let why): garbled(why, now)
        case .credentials(let why): again(.unauthenticated, why, now)
        case .tooLarge(let bytes): tooLarge(bytes, now)
        case .status(let refusal): refused(refusal, now)
        }
    }

    private mutating func refused(_ refusal: RequestFailure.Refusal, _ now: Duration) -> [WatchAction] {
        let isWatch = if case .watching = state { true } else { false }
        switch refusal.code {
        case 401: return [.reloadCredentials] + again(.unauthenticated, refusal.message, now)
        case 403: return again(.forbidden, refusal.message, now)
        case 404 where settings.isOptional && refusal.saysUnknownPath: return notThere(now)
        case 410: return expired(now)
        case 429, 503: return again(.busy, refusal.message, now, after: refusal.retryAfter)
        case 400, 422:
            if case .initialEvents = state {
                // The server does not know them, or is told not to.
                stopStreaming()
                return [.discard] + list(now)
            }
            // The version may be the reason.
            return isWatch ? fail(.refused, refusal.message, .list, now) : again(.refused, refusal.message, now)
        case 504 where refusal.isFutureVersion:
            return isWatch ? fail(.refused, refusal.message, .list, now) : again(.refused, refusal.message, now)
        case 500 where isWatch && failures > 0: return fail(.refused, refusal.message, .list, now)
        default: return again(.refused, refusal.message, now, after: refusal.retryAfter)
        }
    }

    /// The version, or the continue token, is too old: everything is listed again, at once when that is news.
    private mutating func expired(_ now: Duration) -> [WatchAction] {
        let (dropped, _) = interrupted
        expirations += 1
        guard expirations > 1 else { return dropped + list(now) }
        return dropped + wait(.list, now)
    }

    /// The place that was asked does not exist.
    private mutating func notThere(_ now: Duration) -> [WatchAction] {
        let (dropped, _) = interrupted
        missing += 1
        place = (place + 1) % settings.places
        guard missing % settings.places == 0 else { return dropped + list(now) }
        if hasSet, missing < 2 * settings.places {
            state = .waiting(.list)
            deadline = now + settings.absentConfirmation
            return dropped
        }
        let isNews = hasSet || health != .absent
        hasSet = false
        place = 0
        missing = 0
        failures = 0
        expirations = 0
        state = .waiting(.list)
        let poll = isAnnounced ? settings.announcedPoll : settings.absentPoll
        deadline = now + (eager > 0 ? settings.firstDelay : backoff.spread(poll))
        eager = max(eager - 1, 0)
        return dropped + (isNews ? [.remove] : []) + report(.absent)
    }

    private mutating func garbled(_ why: String, _ now: Duration) -> [WatchAction] {
        let (dropped, _) = interrupted
        // The same bytes would come again: a list, or its pages, say the same otherwise.
        if case .initialEvents = state { stopStreaming() }
        failures = max(failures, garbles)
        garbles += 1
        return dropped + fail(.garbled, why, .list, now)
    }

    private mutating func tooLarge(_ bytes: Int, _ now: Duration) -> [WatchAction] {
        let (dropped, _) = interrupted
        guard limit > 1 else {
            return dropped + fail(.garbled, "the answer for one object has more than \(bytes) bytes", .list, now)
        }
        if case .initialEvents = state { stopStreaming() }
        limit = max(1, limit / 4)
        return dropped + list(now)
    }

    /// Tries the same again later.
    private mutating func again(
        _ reason: KindHealth.Problem.Reason, _ why: String, _ now: Duration, after seconds: Int? = nil
    ) -> [WatchAction] {
        let (dropped, what) = interrupted
        return dropped + fail(reason, why, what, now, after: seconds)
    }

    private mutating func fail(
        _ reason: KindHealth.Problem.Reason, _ why: String, _ what: Resume, _ now: Duration, after seconds: Int? = nil
    ) -> [WatchAction] {
        let actions = wait(what, now, after: seconds)
        guard isWorthSaying(reason) else { return actions }
        return actions + report(.failing(KindHealth.Problem(reason, why)))
    }

    /// Whether the failure just counted is told. What passes by itself, and often does, is not told at once, unless nothing
    /// was read yet.
    private func isWorthSaying(_ reason: KindHealth.Problem.Reason) -> Bool {
        if case .failing = health { return true }
        return switch reason {
        case .forbidden, .refused, .garbled: true
        case .unreachable, .unauthenticated: failures > 1 || !hasSet
        case .busy: failures > 3
        }
    }

    private mutating func wait(_ what: Resume, _ now: Duration, after seconds: Int? = nil) -> [WatchAction] {
        failures += 1
        missing = 0
        state = .waiting(what)
        // Whoever asks for an hour does not get it: the node would be blind.
        let least = Duration.seconds(min(max(seconds ?? 0, 0), 60))
        deadline = now + backoff.delay(failures, atLeast: least, settings)
        return []
    }

    private mutating func report(_ new: KindHealth) -> [WatchAction] {
        guard new != health else { return [] }
        health = new
        return [.health(new)]
    }
}

extension RequestFailure.Refusal {
    /// Whether the version asked for is one that the server has not reached.
    fileprivate var isFutureVersion: Bool { (status?.message ?? "").contains("Too large resource version") }
}
