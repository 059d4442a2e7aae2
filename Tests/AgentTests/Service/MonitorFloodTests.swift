import BPFEmit
import NetpoldTestSupport
import PolicyAPI
import Synchronization
import Testing

@testable import Agent

/// Nothing that a monitor, or the traffic it watches, does can stop policy changes.
@Suite(.timeLimit(.minutes(3)), .serialized) struct MonitorFloodTests {
    private let scratch: ScratchFolder
    private let world = FakeWorld()
    private let service: RunningService

    init() throws {
        scratch = try ScratchFolder()
        service = try RunningService(world, socket: scratch.file("s"))
        let policies = (0..<300).map { Fixtures.policy("p\($0)", app: "db", directions: [.ingress]) }
        world.state.withLock { state in
            state.snapshot = [
                "a.yaml": ManifestFile(
                    objects: [
                        .pod(Fixtures.pod("web", "10.0.0.1")), .pod(Fixtures.pod("db", "10.0.0.2")),
                        .pod(Fixtures.pod("quiet", "10.0.0.3")),
                    ] + policies, refused: [])
            ]
            state.node = Fixtures.host([(7, "10.0.0.1"), (8, "10.0.0.2"), (9, "10.0.0.3")])
        }
    }

    /// Makes as many denied packets as somebody reads, each to another port, until this ends.
    private func flood(_ world: FakeWorld) -> Task<Int, Never> {
        Task.detached {
            var made = 0
            while !Task.isCancelled {
                let records = (0..<2000).map { number in
                    // Slots are given in the order of names: db, quiet, web.
                    Records.drop(slot: 0, port: UInt16(truncatingIfNeeded: made + number))
                }
                world.state.withLock { $0.records = records }
                made += records.count
                try? await Task.sleep(for: .milliseconds(20))
            }
            return made
        }
    }

    private func status(_ client: WaitingClient) async throws -> (StatusReport, Duration) {
        let start = ContinuousClock.now
        try client.send(.status)
        guard case .status(let status) = try await client.next() else { throw TestFailure("no status") }
        return (status, ContinuousClock.now - start)
    }

    @Test("monitor and one flood over 300 policies: changes come into force, status answers, the loss is counted")
    func floodOver300Policies() async throws {
        await service.start()
        let monitor = try WaitingClient(path: scratch.file("s"))
        try monitor.send(.monitor(MonitorFilter()))
        #expect(await eventually { world.state.withLock { $0.isListening } })
        let flood = flood(world)
        let counted = Mutex((sent: 0, lost: UInt64(0)))
        let reading = Task.detached {
            while let reply = try await monitor.next() {
                counted.withLock { counted in
                    if case .verdict = reply { counted.sent += 1 }
                    if case .lost(let more) = reply { counted.lost += more }
                }
            }
        }
        let client = try WaitingClient(path: scratch.file("s"))
        var slowest = Duration.zero
        for round in 0..<10 {
            world.change { state in
                state.snapshot["b.yaml"] = ManifestFile(
                    objects: [Fixtures.policy("round\(round)", app: "web", directions: [.ingress])], refused: [])
            }
            let start = ContinuousClock.now
            try client.send(.wait(timeoutMilliseconds: 20_000))
            guard case .waited(let isInForce, _) = try await client.next() else { throw TestFailure("not waited") }
            #expect(isInForce)
            #expect(ContinuousClock.now - start < .seconds(20))
            slowest = max(slowest, try await status(client).1)
        }
        // On a machine that does nothing else it is a few milliseconds; this one runs other tests too.
        #expect(slowest < .seconds(20))
        #expect(await eventually { counted.withLock { $0.sent > 0 && $0.lost > 0 } })
        flood.cancel()
        #expect(try await status(client).0.eventsLost > 0)
        await service.stop()
        _ = await reading.result
    }

    @Test("a filter for one pod sees each of its 10 drops while another pod is noisy")
    func noisyNeighbour() async throws {
        await service.start()
        // Before the first apply no slot is a pod's.
        let client = try WaitingClient(path: scratch.file("s"))
        try client.send(.wait(timeoutMilliseconds: 60_000))
        guard case .waited(true, _) = try await client.next() else { throw TestFailure("not in force") }
        let monitor = try WaitingClient(path: scratch.file("s"))
        try monitor.send(.monitor(MonitorFilter(dropsOnly: true, pod: "shop/quiet")))
        let all = try WaitingClient(path: scratch.file("s"))
        try all.send(.monitor(MonitorFilter()))
        #expect(await eventually { world.state.withLock { $0.interest == .verdicts } })
        // Read all the time: whoever does not read loses what finds no room, the quiet pod's drops too.
        let quiet = Task.detached {
            try await all.count(to: 10) { reply in
                if case .verdict(let verdict) = reply { verdict.subject == "shop/quiet" } else { false }
            }
        }
        let records = (0..<10).map { number in
            (0..<3000).map { Records.drop(slot: 0, port: UInt16(truncatingIfNeeded: $0 + number)) }
                + [Records.drop(slot: 1, to: "10.0.0.3", port: UInt16(9000 + number))]
        }
        for batch in records {
            #expect(await eventually { world.state.withLock { $0.records.isEmpty } })
            world.state.withLock { $0.records = batch }
        }
        for number in 0..<10 {
            guard case .verdict(let verdict) = try await monitor.next() else { throw TestFailure("lost") }
            #expect(verdict.destination.port == UInt16(9000 + number))
            #expect(verdict.subject == "shop/quiet")
        }
        // Without a filter, too: pods take turns.
        #expect(try await quiet.value == 10)
        await service.stop()
    }

    @Test("a monitor that hangs up at once leaves the writing of events off")
    func hangUpAtOnce() async throws {
        await service.start()
        for _ in 0..<50 {
            let client = try RawClient(scratch.file("s"))
            client.send("{\"type\":\"monitor\",\"version\":2}\n")
        }
        // One more that stays a while: whatever the others left behind would be seen after it.
        do {
            let client = try WaitingClient(path: scratch.file("s"))
            try client.send(.monitor(MonitorFilter()))
            #expect(await eventually { world.state.withLock { $0.isListening } })
        }
        #expect(await eventually { world.state.withLock { !$0.isListening } })
        try await Task.sleep(for: .milliseconds(300))
        #expect(world.state.withLock { !$0.isListening })
    }

    @Test("with monitors of drops alone, only drops are written")
    func interest() async throws {
        await service.start()
        let drops = try WaitingClient(path: scratch.file("s"))
        try drops.send(.monitor(MonitorFilter(dropsOnly: true)))
        #expect(await eventually { world.state.withLock { $0.isListening && $0.interest == .drops } })
        do {
            let all = try WaitingClient(path: scratch.file("s"))
            try all.send(.monitor(MonitorFilter()))
            #expect(await eventually { world.state.withLock { $0.interest == .verdicts } })
        }
        #expect(await eventually { world.state.withLock { $0.isListening && $0.interest == .drops } })
    }

    @Test("a verdict has the packet's time, not that of its reading")
    func time() async throws {
        await service.start()
        let monitor = try WaitingClient(path: scratch.file("s"))
        try monitor.send(.monitor(MonitorFilter()))
        #expect(await eventually { world.state.withLock { $0.isListening } })
        let before = KernelTime.now
        let wall = before.wallMilliseconds
        try await Task.sleep(for: .milliseconds(700))
        world.state.withLock { $0.records = [Records.drop(slot: 0, time: before.nanoseconds)] }
        guard case .verdict(let verdict) = try await monitor.next() else { throw TestFailure("no verdict") }
        #expect(verdict.timeMilliseconds >= wall - 100 && verdict.timeMilliseconds <= wall + 100)
    }

    @Test("what the kernel leaves out is a loss of the monitors it may concern, and of no other")
    func suppressed() async throws {
        await service.start()
        let quiet = try WaitingClient(path: scratch.file("s"))
        try quiet.send(.monitor(MonitorFilter(pod: "shop/quiet")))
        let noisy = try WaitingClient(path: scratch.file("s"))
        try noisy.send(.monitor(MonitorFilter(pod: "shop/db")))
        let all = try WaitingClient(path: scratch.file("s"))
        try all.send(.monitor(MonitorFilter()))
        try await Task.sleep(for: .milliseconds(300))
        world.state.withLock { state in
            state.suppressed = 70
            state.suppressedDrops = [0: 70]
        }
        #expect(try await noisy.next() == .lost(70))
        #expect(try await all.next() == .lost(70))
        world.state.withLock { $0.records = [Records.drop(slot: 1, to: "10.0.0.3")] }
        guard case .verdict = try await quiet.next() else { throw TestFailure("a loss that was not its own") }
    }

    @Test("status counts what the kernel left out once, however many monitors are told of it")
    func suppressedOnce() async throws {
        await service.start()
        var monitors: [WaitingClient] = []
        for _ in 0..<3 {
            let monitor = try WaitingClient(path: scratch.file("s"))
            try monitor.send(.monitor(MonitorFilter()))
            monitors.append(monitor)
        }
        try await Task.sleep(for: .milliseconds(300))
        world.state.withLock { $0.suppressed = 70 }
        for monitor in monitors { #expect(try await monitor.next() == .lost(70)) }
        let client = try WaitingClient(path: scratch.file("s"))
        try client.send(.status)
        guard case .status(let status) = try await client.next() else { throw TestFailure("no status") }
        #expect(status.eventsSuppressed == 70)
        #expect(status.eventsLost == 0)
    }

    @Test("a seventeenth monitor is refused, and its conversation goes on")
    func tooMany() async throws {
        await service.start()
        var monitors: [RawClient] = []
        for _ in 0..<MonitorHub.monitorLimit {
            let client = try RawClient(scratch.file("s"))
            client.send("{\"type\":\"monitor\",\"version\":2}\n")
            monitors.append(client)
        }
        try await Task.sleep(for: .milliseconds(500))
        let more = try WaitingClient(path: scratch.file("s"))
        try more.send(.monitor(MonitorFilter()))
        guard case .error(let error) = try await more.next() else { throw TestFailure("no error") }
        #expect(error.code == .unavailable)
        try more.send(.health)
        guard case .health = try await more.next() else { throw TestFailure("no health") }
        withExtendedLifetime(monitors) {}
    }
}
