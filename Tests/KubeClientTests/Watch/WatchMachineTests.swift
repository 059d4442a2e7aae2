import Testing

@testable import KubeClient

/// What the machine does with one event after another. No I/O, no clock.
struct WatchMachineTests {
    /// A machine with a time of its own.
    private struct Run {
        var machine: WatchMachine
        var now = Duration.zero

        init(_ settings: WatchSettings = WatchSettings(streamsLists: false), seed: UInt64 = 1) {
            machine = WatchMachine(settings, seed: seed)
        }

        @discardableResult
        mutating func on(_ event: WatchEvent) -> [WatchAction] { machine.on(event, at: now) }

        /// Listed, and watching from `version`.
        mutating func listed(_ version: String = "10") {
            on(.start)
            on(.opened)
            on(.page(version: version, next: nil))
            on(.opened)
        }

        /// Waits as long as the machine wants, and wakes it.
        mutating func sleep() -> [WatchAction] {
            now = machine.deadline ?? now
            return on(.wake)
        }
    }

    private static func refusal(
        _ code: Int, _ message: String = "", after seconds: Int? = nil, text: String = ""
    ) -> WatchEvent {
        .failed(
            .status(
                .init(
                    code: code, status: text.isEmpty ? StatusObject(code: code, message: message) : nil,
                    retryAfter: seconds, text: text)))
    }

    private static let unknownPath = refusal(404, text: "404 page not found")
    private static let optional = WatchSettings(isOptional: true, streamsLists: false)

    private func watched(_ actions: [WatchAction]) -> String? {
        for case .watch(let query) in actions { return query.version }
        return nil
    }

    private func isList(_ actions: [WatchAction]) -> Bool {
        if case .list(let query)? = actions.last { query.from == nil } else { false }
    }

    @Test("a wish to list again begins a new set whatever is being done, and throws an unfinished one away")
    func relist() {
        var run = Run()
        #expect(run.on(.relist).isEmpty)
        run.on(.start)
        let again = run.on(.relist)
        #expect(again.prefix(3) == [.cancel, .discard, .begin] && isList(again))
        run.on(.opened)
        run.on(.page(version: "10", next: nil))
        run.on(.opened)
        let watching = run.on(.relist)
        #expect(watching.prefix(2) == [.cancel, .begin] && isList(watching))
        run.on(.failed(.connection("away")))
        #expect(isList(run.on(.relist)))
    }

    @Test func pagesAreOneSetThatCountsAtOnce() {
        var run = Run()
        #expect(run.on(.start) == [.begin, .list(ListQuery(place: 0, limit: 500, from: nil))])
        run.on(.opened)
        #expect(
            run.on(.page(version: "10", next: "abc")) == [
                .collect, .list(ListQuery(place: 0, limit: 500, from: "abc")),
            ])
        let last = run.on(.page(version: "10", next: nil))
        #expect(last.prefix(3) == [.collect, .replace, .health(.following)])
        #expect(watched(last) == "10")
    }

    @Test func eventsMoveTheVersionAndACleanEndGoesOnFromIt() {
        var run = Run()
        run.listed()
        #expect(run.on(.object(version: "11")) == [.apply])
        #expect(run.on(.bookmark(version: "15", endsInitialEvents: false)) == [])
        run.now += .seconds(300)
        #expect(watched(run.on(.ended)) == "15")
    }

    /// d/06, m/03: a version of the future says nothing at all.
    @Test func aDeafWatchIsListedAgainWithoutLosingAnything() {
        var run = Run()
        run.listed()
        #expect(run.machine.deadline == .seconds(120))
        run.now = .seconds(119)
        #expect(run.on(.wake) == [])
        run.now = .seconds(120)
        let actions = run.on(.wake)
        #expect(actions.first == .cancel)
        #expect(isList(actions))
        #expect(!actions.contains(.remove) && !actions.contains(.replace))
    }

    @Test func eachSignOfLifeBeginsTheSilenceAnew() {
        var run = Run()
        run.listed()
        for minute in 1...10 {
            run.now = .seconds(60 * minute)
            run.on(.bookmark(version: "\(10 + minute)", endsInitialEvents: false))
            #expect(run.machine.deadline == run.now + .seconds(120))
        }
    }

    /// b/46, d/05b: HTTP 200 and an ERROR event with code 410.
    @Test func whatHasExpiredIsListedAtOnceAndThenOnlyAfterADelay() {
        var run = Run()
        run.listed()
        let expired = WatchEvent.error(StatusObject(code: 410, reason: "Expired", message: "too old resource version"))
        #expect(isList(run.on(expired)))
        run.on(.page(version: "20", next: nil))
        run.on(.opened)
        let second = run.on(expired)
        #expect(!isList(second))
        #expect((run.machine.deadline ?? .zero) > run.now)
        #expect(isList(run.sleep()))
        run.on(.page(version: "30", next: nil))
        run.on(.opened)
        run.on(.object(version: "31"))
        #expect(isList(run.on(expired)), "what went well in between counts")
    }

    /// b/43: the continue token of a 410 would resume at another time.
    @Test func anExpiredContinueTokenBeginsTheListAgain() {
        var run = Run()
        run.on(.start)
        run.on(.page(version: "10", next: "abc"))
        let actions = run.on(Self.refusal(410, "The provided continue parameter is too old"))
        #expect(actions == [.discard, .begin, .list(ListQuery(place: 0, limit: 500, from: nil))])
    }

    @Test func pagesOfDifferentVersionsAreNoSet() {
        var run = Run()
        run.on(.start)
        run.on(.page(version: "10", next: "abc"))
        let actions = run.on(.page(version: "12", next: nil))
        #expect(actions.contains(.discard) && !actions.contains(.replace))
    }

    /// f/00, k/01: 429 and 503 are never "absent", and say how long to wait.
    @Test(arguments: [429, 503])
    func busyServersAreAskedAgainAfterWhatTheySay(code: Int) {
        var run = Run(Self.optional)
        run.listed()
        run.now = .seconds(10)
        run.on(.ended)
        let actions = run.on(Self.refusal(code, after: 7, text: "Too many requests, please try again later."))
        #expect(actions == [], "nothing is given up, and it is not yet worth a word")
        let delay = (run.machine.deadline ?? .zero) - run.now
        #expect(delay >= .seconds(7.25) && delay <= .seconds(7.5))
        #expect(watched(run.sleep()) == "10")
    }

    @Test func nobodyIsLeftBlindForAnHour() {
        var run = Run()
        run.listed()
        run.on(Self.refusal(503, after: 3600))
        #expect((run.machine.deadline ?? .zero) - run.now <= .seconds(61))
    }

    /// e/08: `404 page not found` as text is a missing kind; nobody else's 404 is.
    @Test func aMissingKindIsAbsentOnlyWhereItMayBe() {
        var run = Run(Self.optional)
        run.on(.start)
        #expect(run.on(Self.unknownPath) == [.discard, .remove, .health(.absent)])
        #expect(isList(run.sleep()))
        #expect(run.on(Self.unknownPath) == [.discard], "nothing new")
        var core = Run()
        core.on(.start)
        let actions = core.on(Self.unknownPath)
        #expect(!actions.contains(.remove))
        #expect(actions.contains { if case .health(.failing) = $0 { true } else { false } })
        var proxied = Run(Self.optional)
        proxied.on(.start)
        #expect(!proxied.on(Self.refusal(404, text: "<html>not here</html>")).contains(.remove))
        #expect(!proxied.on(Self.refusal(404, "the object was not found")).contains(.remove))
    }

    @Test func objectsInForceAreDroppedOnlyWhenTheKindIsMissingTwice() {
        var run = Run(Self.optional)
        run.listed()
        run.now = .seconds(10)
        run.on(.ended)
        #expect(!run.on(Self.unknownPath).contains(.remove))
        #expect(isList(run.sleep()))
        #expect(run.on(Self.unknownPath).contains(.remove))
        var again = Run(Self.optional)
        again.listed()
        again.on(Self.unknownPath)
        _ = again.sleep()
        again.on(Self.refusal(503, after: 1))
        _ = again.sleep()
        #expect(!again.on(Self.unknownPath).contains(.remove), "a refusal in between begins the count anew")
    }

    @Test func everyPlaceOfAKindIsAskedBeforeItIsAbsent() {
        var run = Run(WatchSettings(places: 2, isOptional: true, streamsLists: false))
        run.on(.start)
        #expect(run.on(Self.unknownPath).last == .list(ListQuery(place: 1, limit: 500, from: nil)))
        run.on(.page(version: "5", next: nil))
        run.on(.opened)
        run.now = .seconds(20)
        guard case .watch(let query)? = run.on(.ended).last else {
            Issue.record("no watch")
            return
        }
        #expect(query.place == 1)
        var none = Run(WatchSettings(places: 2, isOptional: true, streamsLists: false))
        none.on(.start)
        none.on(Self.unknownPath)
        #expect(none.on(Self.unknownPath).contains(.health(.absent)))
    }

    @Test func aKindThatAppearsIsAskedForAtOnceAndSoonAgain() {
        var run = Run(Self.optional)
        run.on(.start)
        run.on(Self.unknownPath)
        #expect(isList(run.on(.appeared)))
        run.on(Self.unknownPath)
        #expect((run.machine.deadline ?? .zero) - run.now <= .seconds(1))
        #expect(run.on(.appeared).contains(.begin))
        run.on(Self.refusal(429, "storage is (re)initializing", after: 1))
        #expect(isList(run.sleep()))
        #expect(run.on(.page(version: "3", next: nil)).contains(.health(.following)))
        #expect(run.on(.appeared) == [], "it is there")
    }

    /// 5,000 nodes that ask for six missing kinds twice a minute would be a load.
    @Test func whatIsAnnouncedIsHardlyAskedFor() {
        var run = Run(Self.optional)
        run.on(.start)
        run.on(Self.unknownPath)
        #expect((run.machine.deadline ?? .zero) <= .seconds(30))
        run.on(.announced(true))
        _ = run.sleep()
        run.on(Self.unknownPath)
        #expect((run.machine.deadline ?? .zero) - run.now >= .seconds(300))
        run.on(.announced(false))
        #expect((run.machine.deadline ?? .zero) - run.now <= .seconds(30))
    }

    /// e/03: missing rights are said at once, and take nothing out of force.
    @Test func missingRightsAreLoudAndClosed() {
        var run = Run(Self.optional)
        run.on(.start)
        let actions = run.on(Self.refusal(403, "forbidden"))
        #expect(actions == [.discard, .health(.failing(.init(.forbidden, "HTTP 403: forbidden")))])
        var later = Run(Self.optional)
        later.listed()
        let lost = later.on(Self.refusal(403, "forbidden"))
        #expect(lost == [.health(.failing(.init(.forbidden, "HTTP 403: forbidden")))])
        #expect(watched(later.sleep()) == "10")
        #expect(later.on(.opened) == [.health(.following)])
    }

    @Test func refusedCredentialsAreReloaded() {
        var run = Run()
        run.listed()
        #expect(run.on(Self.refusal(401, "Unauthorized")) == [.reloadCredentials], "others may do")
        _ = run.sleep()
        let second = run.on(Self.refusal(401, "Unauthorized"))
        #expect(second.first == .reloadCredentials)
        #expect(second.last == .health(.failing(.init(.unauthenticated, "HTTP 401: Unauthorized"))))
    }

    /// d/02g: with streaming lists 504 comes as an ERROR event; d/05: a watch from an old life of etcd.
    @Test func aVersionOfTheFutureIsListedAgain() {
        var run = Run()
        run.listed()
        let future = StatusObject(
            code: 504, reason: "Timeout", message: "Timeout: Too large resource version: 9, current: 7")
        let actions = run.on(.error(future))
        #expect(actions.first == .cancel)
        #expect(isList(run.sleep()))
    }

    @Test func aWatchThatEndsAtOnceIsNotAskedForInALoop() {
        var run = Run()
        run.listed()
        var delays: [Duration] = []
        var told = false
        for _ in 0..<6 {
            let actions = run.on(.ended)
            told = told || actions.contains { if case .health(.failing) = $0 { true } else { false } }
            delays.append((run.machine.deadline ?? .zero) - run.now)
            _ = run.sleep()
            run.on(.opened)
        }
        #expect(delays.allSatisfy { $0 > .milliseconds(200) })
        #expect(told)
    }

    @Test func delaysGrowHaveALimitAndDifferBetweenMachines() {
        var delays: [[Duration]] = []
        for seed in 1...20 as ClosedRange<UInt64> {
            var run = Run(seed: seed)
            run.listed()
            delays.append(
                (0..<12).map { _ in
                    run.on(.failed(.connection("refused")))
                    let delay = (run.machine.deadline ?? .zero) - run.now
                    _ = run.sleep()
                    return delay
                })
        }
        for row in delays {
            for (index, delay) in row.enumerated() {
                let full = min(Duration.milliseconds(500) * (1 << index), .seconds(30))
                #expect(delay >= full * 0.5 && delay <= full)
            }
        }
        #expect(Set(delays.map { $0[3] }).count > 15)
    }

    @Test func anOutageIsSaidOnceAndIsOverWithTheFirstAnswer() {
        var run = Run()
        run.listed()
        run.now = .seconds(10)
        #expect(run.on(.failed(.connection("cut"))) == [], "one cut is no outage")
        _ = run.sleep()
        let problem = KindHealth.failing(.init(.unreachable, "refused"))
        #expect(run.on(.failed(.connection("refused"))) == [.health(problem)])
        _ = run.sleep()
        #expect(run.on(.failed(.connection("refused"))) == [])
        _ = run.sleep()
        #expect(run.on(.opened) == [.health(.following)])
    }

    @Test func whatDoesNotAnswerGetsOtherConnections() {
        var run = Run()
        run.on(.start)
        let actions = run.sleep()
        #expect(run.now == .seconds(30))
        #expect(actions.starts(with: [.cancel, .discard, .renewConnections]))
        #expect(isList(run.sleep()))
    }

    @Test func aSlowListIsNoDeadOne() {
        var run = Run()
        run.on(.start)
        run.on(.opened)
        for second in 1...100 {
            run.now = .seconds(second)
            run.on(.progress)
            #expect(run.on(.wake) == [])
        }
    }

    @Test func answersThatAreTooLargeAreAskedForInSmallerPages() {
        var run = Run()
        run.on(.start)
        #expect(run.on(.failed(.tooLarge(limit: 5))).last == .list(ListQuery(place: 0, limit: 125, from: nil)))
        for _ in 0..<3 { #expect(isList(run.on(.failed(.tooLarge(limit: 5))))) }
        let last = run.on(.failed(.tooLarge(limit: 5)))
        #expect(last.contains { if case .health(.failing) = $0 { true } else { false } })
    }

    @Test func garbledEventsLeadToAList() {
        var run = Run()
        run.listed()
        let actions = run.on(.failed(.garbled("no JSON")))
        #expect(actions == [.health(.failing(.init(.garbled, "no JSON")))])
        #expect(isList(run.sleep()))
    }

    // MARK: lists without an end

    private func isGarbled(_ actions: [WatchAction], _ words: String) -> Bool {
        actions.contains(.discard)
            && actions.contains {
                guard case .health(.failing(let problem)) = $0 else { return false }
                return problem.reason == .garbled && problem.message.contains(words)
            }
    }

    @Test("a continue token that was there before ends the list, and it is asked for again only after a delay")
    func tokensComeOnce() {
        var run = Run()
        run.on(.start)
        run.on(.page(version: "10", next: "a"))
        run.on(.page(version: "10", next: "b"))
        #expect(isGarbled(run.on(.page(version: "10", next: "a")), "no end"))
        var delays: [Duration] = []
        for _ in 0..<4 {
            delays.append((run.machine.deadline ?? .zero) - run.now)
            #expect(isList(run.sleep()))
            run.on(.page(version: "10", next: "a"))
            let actions = run.on(.page(version: "10", next: "a"))
            #expect(!actions.contains { if case .list = $0 { true } else { false } })
        }
        #expect(delays.allSatisfy { $0 >= .milliseconds(250) } && (delays.last ?? .zero) >= .seconds(2), "\(delays)")
        // A list that ends is all that it takes.
        _ = run.sleep()
        run.on(.page(version: "11", next: "a"))
        #expect(run.on(.page(version: "11", next: nil)).contains(.health(.following)))
    }

    @Test("a list of empty pages, and one that goes on for ever, come to nothing and take nothing out of force")
    func listsHaveAnEnd() {
        var run = Run()
        run.listed()
        run.on(.relist)
        #expect(isList(run.on(.relist)))
        run.on(.page(version: "20", next: "a", isEmpty: true))
        run.on(.page(version: "20", next: "b"))
        run.on(.page(version: "20", next: "c", isEmpty: true))
        #expect(isGarbled(run.on(.page(version: "20", next: "d", isEmpty: true)), "empty"))
        #expect(isList(run.sleep()))
        var actions: [WatchAction] = []
        for number in 0..<700 where !actions.contains(.discard) {
            run.now += .seconds(1)
            actions = run.on(.page(version: "21", next: "\(number)"))
        }
        #expect(isGarbled(actions, "no end") && !actions.contains(.remove) && !actions.contains(.replace))
    }

    /// An event before it is no sign that the next one makes sense.
    @Test("a server that sends nonsense after each list is asked less and less often")
    func nonsenseSlowsDown() {
        var run = Run()
        run.listed()
        var delays: [Duration] = []
        for _ in 0..<6 {
            run.on(.object(version: "11"))
            run.on(.failed(.garbled("no name")))
            delays.append((run.machine.deadline ?? .zero) - run.now)
            #expect(isList(run.sleep()))
            run.on(.page(version: "12", next: nil))
            run.on(.opened)
        }
        #expect((delays.last ?? .zero) >= .seconds(8), "\(delays)")
        run.now += .seconds(10)
        run.on(.object(version: "13"))
        run.on(.failed(.garbled("no name")))
        #expect((run.machine.deadline ?? .zero) - run.now <= .milliseconds(500), "it was well for some time")
    }

    @Test("after a good list pages are larger again, up to what is wanted")
    func pagesGrowAgain() {
        var run = Run()
        run.on(.start)
        for _ in 0..<3 { run.on(.failed(.tooLarge(limit: 5))) }
        var limits: [Int] = []
        for version in 10..<20 {
            run.on(.page(version: "\(version)", next: nil))
            guard case .list(let query)? = run.on(.relist).last else {
                Issue.record("no list")
                return
            }
            limits.append(query.limit)
        }
        #expect(limits == [14, 28, 56, 112, 224, 448, 500, 500, 500, 500])
    }

    @Test("after some good lists objects are asked for as events again, and less often each time that this fails")
    func streamsAgain() {
        var run = Run(WatchSettings())
        run.on(.start)
        var lists: [Int] = []
        for _ in 0..<3 {
            // The stream fails.
            var isPaged = isList(run.on(Self.refusal(422, "sendInitialEvents is forbidden")))
            #expect(isPaged)
            var count = 0
            while isPaged, count < 100 {
                count += 1
                run.on(.page(version: "\(count)", next: nil))
                isPaged = isList(run.on(.relist))
            }
            lists.append(count)
        }
        #expect(lists == [2, 4, 8])
        // It goes well: the next failure counts as the first one.
        run.on(.opened)
        run.on(.bookmark(version: "90", endsInitialEvents: true))
        #expect(!isList(run.on(.relist)))
        #expect(isList(run.on(Self.refusal(422, "sendInitialEvents is forbidden"))))
        run.on(.page(version: "91", next: nil))
        #expect(isList(run.on(.relist)))
        run.on(.page(version: "92", next: nil))
        #expect(!isList(run.on(.relist)))
    }

    // MARK: streaming lists

    private static let streaming = WatchSettings(isOptional: true)

    @Test func initialEventsAreASetWhenTheirEndIsMarked() {
        var run = Run(Self.streaming)
        let first = run.on(.start)
        guard case .watch(let query)? = first.last else {
            Issue.record("no watch")
            return
        }
        #expect(first.first == .begin && query.version == nil)
        run.on(.opened)
        #expect(run.on(.object(version: "3")) == [.collect])
        #expect(run.on(.bookmark(version: "4", endsInitialEvents: false)) == [])
        #expect(run.on(.object(version: "5")) == [.collect])
        #expect(run.on(.bookmark(version: "9", endsInitialEvents: true)) == [.replace, .health(.following)])
        #expect(run.on(.object(version: "10")) == [.apply])
        run.now = .seconds(200)
        #expect(watched(run.on(.ended)) == "10")
    }

    /// d/12 of older servers: 422 without the feature.
    @Test(arguments: [400, 422])
    func serversWithoutInitialEventsAreAskedForPages(code: Int) {
        var run = Run(Self.streaming)
        run.on(.start)
        #expect(
            run.on(Self.refusal(code, "sendInitialEvents is forbidden")).last == .list(ListQuery(place: 0, limit: 500)))
    }

    /// d/02d: the end is never marked; and a slow reader is cut before it.
    @Test func initialEventsWithoutEndAreAskedForAsPages() {
        var cut = Run(Self.streaming)
        cut.on(.start)
        cut.on(.opened)
        cut.on(.object(version: "3"))
        #expect(cut.on(.ended) == [.discard, .begin, .list(ListQuery(place: 0, limit: 500))])
        var silent = Run(Self.streaming)
        silent.on(.start)
        silent.on(.opened)
        silent.on(.object(version: "3"))
        #expect(silent.sleep().starts(with: [.cancel, .discard]))
        #expect(isList(silent.sleep()))
    }

    @Test func whatBreaksInTheMiddleOfASetLeavesTheOldOne() {
        var run = Run(Self.streaming)
        run.on(.start)
        run.on(.opened)
        run.on(.bookmark(version: "9", endsInitialEvents: true))
        run.on(.error(StatusObject(code: 410)))
        run.on(.opened)
        run.on(.object(version: "12"))
        let actions = run.on(.failed(.connection("cut")))
        #expect(actions.contains(.discard))
        #expect(!actions.contains(.replace) && !actions.contains(.remove))
    }

    // MARK: laws

    /// Any events in any order: never two requests at once, never a time without something to wait for, and a set is only
    /// replaced after it was begun.
    @Test func anyEventsKeepTheLaws() {
        var random = SystemRandomNumberGenerator()
        for round in 0..<300 {
            var run = Run(
                WatchSettings(places: 1 + round % 2, isOptional: round % 3 != 0, streamsLists: round % 2 == 0),
                seed: UInt64(round))
            var isRunning = false
            var isCollecting = false
            var events: [WatchEvent] = [.start]
            for _ in 0..<200 {
                let event = events.removeFirst()
                let actions = run.on(event)
                if event.endsRequest { isRunning = false }
                for action in actions {
                    switch action {
                    case .list, .watch:
                        #expect(!isRunning, "\(events)")
                        isRunning = true
                    case .cancel: isRunning = false
                    case .begin:
                        #expect(!isCollecting)
                        isCollecting = true
                    case .collect: #expect(isCollecting)
                    case .replace, .discard:
                        #expect(isCollecting)
                        isCollecting = false
                    case .apply, .remove, .reloadCredentials, .renewConnections, .health: break
                    }
                }
                #expect(run.machine.deadline != nil)
                run.now += .milliseconds(Int.random(in: 0...40_000, using: &random))
                events.append(
                    isRunning
                        ? WatchEvent.answers.randomElement(using: &random) ?? .ended
                        : [.wake, .wake, .appeared].randomElement(using: &random) ?? .wake)
            }
        }
    }
}

extension WatchEvent {
    /// Whether no request runs after it.
    fileprivate var endsRequest: Bool {
        switch self {
        case .page, .ended, .failed: true
        case .start, .sent, .opened, .progress, .object, .bookmark, .error, .wake, .appeared, .relist, .announced: false
        }
    }

    /// What may happen while a request runs.
    fileprivate static let answers: [WatchEvent] = [
        .opened, .opened, .progress, .announced(true), .announced(false), .object(version: "7"), .object(version: "8"),
        .ended, .wake, .appeared,
        .bookmark(version: "9", endsInitialEvents: true), .bookmark(version: "9", endsInitialEvents: false),
        .error(StatusObject(code: 410)), .error(StatusObject(code: 504)), .failed(.connection("cut")),
        .failed(.garbled("x")), .failed(.tooLarge(limit: 1)), .failed(.credentials("none")),
        .failed(.status(.init(code: 404, text: "404 page not found"))), .failed(.status(.init(code: 410))),
        .failed(.status(.init(code: 429, retryAfter: 1))), .failed(.status(.init(code: 422))),
        .failed(.status(.init(code: 401))), .failed(.status(.init(code: 500))), .sent,
    ]
}
