import BPFEmit
import NetpoldTestSupport
import PolicyAPI
import Support
import Testing

@testable import Agent

@Suite struct AgentServiceTests {
    private let scratch: ScratchFolder
    private let world = FakeWorld()
    private let service: RunningService

    init() throws {
        scratch = try ScratchFolder()
        service = try RunningService(world, socket: scratch.file("s"), collection: .milliseconds(20))
        world.state.withLock { state in
            state.snapshot = [
                "a.yaml": ManifestFile(
                    objects: [
                        .pod(Fixtures.pod("web", "10.0.0.1")), .pod(Fixtures.pod("db", "10.0.0.2")),
                        Fixtures.policy("web", app: "web", directions: [.ingress]),
                    ], refused: [])
            ]
            state.node = Fixtures.host([(7, "10.0.0.1")])
        }
    }

    private func started() async throws -> WaitingClient {
        await service.start()
        return try WaitingClient(path: scratch.file("s"))
    }

    @Test("what was read is in force, and the status says so")
    func enforces() async throws {
        let client = try await started()
        #expect(world.state.withLock { $0.applied.map { Array($0.values) } } == [[[7]]])
        try client.send(.status)
        guard case .status(let status) = try await client.next() else { throw TestFailure("no status") }
        #expect(status.isInForce)
        #expect(status.applyCount == 1)
        #expect(status.policiesInForce == 1)
        #expect(status.endpointsReady == 1)
        #expect(status.endpointsWaiting == 1)
        #expect(status.attachments == ["tcx": 1])
        // Counters are read beside the answers: one on a busy machine may come without.
        var counted = status
        for _ in 0..<100 where counted.reasons.isEmpty || counted.capacities.isEmpty {
            try await Task.sleep(for: .milliseconds(50))
            try client.send(.status)
            guard case .status(let next) = try await client.next() else { throw TestFailure("no status") }
            counted = next
        }
        #expect(counted.reasons.map(\.reason) == ["NP_DROP_POLICY_DEFAULT"])
        #expect(counted.capacities.contains { $0.memoryBytes == 40 << 20 })
        #expect(await eventually { world.state.withLock { $0.collections } > 0 })
    }

    @Test("endpoints come, wait and go with their namespaces")
    func endpoints() async throws {
        let client = try await started()
        try client.send(.list(ListRequest(.endpoints)))
        guard case .page(let page) = try await client.next(), let rows = EndpointReport.unwrap(page.rows) else {
            throw TestFailure("no rows")
        }
        #expect(rows.map(\.name) == ["shop/db", "shop/web"])
        #expect(rows.map(\.state) == [.waiting, .ready])
        #expect(rows[1].ingressPolicies == ["NetworkPolicy shop/web"])
        #expect(rows[1].isIngressIsolated && !rows[1].isEgressIsolated)

        world.change { $0.node = Fixtures.host([(8, "10.0.0.2")]) }
        try client.send(.wait(timeoutMilliseconds: 120_000))
        #expect(try await client.next() == .waited(inForce: true, applyCount: 2))
        try client.send(.list(ListRequest(.endpoints)))
        guard case .page(let next) = try await client.next(), let later = EndpointReport.unwrap(next.rows) else {
            throw TestFailure("no rows")
        }
        #expect(later.map(\.state) == [.ready, .waiting])
    }

    @Test("a hook that somebody takes away is put back by the next look at the hooks, not by the next resync")
    func takenHook() async throws {
        let service = try RunningService(world, socket: scratch.file("t"), observe: .milliseconds(20))
        await service.start()
        let finding = HookFinding(
            ifindex: 7, direction: .egress, key: EndpointKey(namespace: "shop", name: "web"), problem: .missing)
        world.state.withLock { state in
            state.repairsHooks = true
            state.hooks = [finding]
        }
        #expect(await eventually { world.state.withLock { $0.hooks.isEmpty && $0.applied.count == 2 } })
        await service.stop()
    }

    @Test("wait answers after a change written before it is in force")
    func waits() async throws {
        let client = try await started()
        world.state.withLock { state in
            state.snapshot["b.yaml"] = ManifestFile(
                objects: [Fixtures.policy("db", app: "db", directions: [.egress])], refused: [])
        }
        try client.send(.wait(timeoutMilliseconds: 120_000))
        #expect(try await client.next() == .waited(inForce: true, applyCount: 2))
        #expect(world.state.withLock { $0.policies.last } == ["db", "web"])
    }

    @Test("a datapath that refuses makes wait answer that not everything is in force, and leaves status up")
    func failing() async throws {
        let client = try await started()
        world.change { state in
            state.failure = SystemError("load", "policy program", .argListTooLong)
            state.snapshot["b.yaml"] = ManifestFile(unreadable: ["b.yaml:1:1: error: not YAML"])
            state.snapshot["c.yaml"] = ManifestFile(
                objects: [Fixtures.policy("db", app: "db", directions: [.egress])], refused: [])
        }
        try client.send(.wait(timeoutMilliseconds: 300))
        #expect(try await client.next() == .waited(inForce: false, applyCount: 1))
        // On a busy machine the apply may be refused only after that.
        let expected: [Condition.Kind] = [.applyFailed, .brokenFile]
        var kinds: [Condition.Kind] = []
        for _ in 0..<3000 where kinds != expected {
            try await Task.sleep(for: .milliseconds(10))
            try client.send(.status)
            guard case .status(let status) = try await client.next() else { throw TestFailure("no status") }
            kinds = status.conditions.map(\.kind)
        }
        #expect(kinds == expected)
    }

    @Test(
        "where nothing can be put in force, pods without programs are closed, and no change is lost",
        arguments: [true, false])
    func closing(beforeCompiling: Bool) async throws {
        let failure = SystemError("read", "np_host", .ioError)
        world.state.withLock { state in
            if beforeCompiling { state.hostFailure = failure } else { state.failure = failure }
        }
        service.begin()
        #expect(await eventually { world.state.withLock { $0.closed } == [7] })
        #expect(world.state.withLock { $0.applied.isEmpty })
        world.state.withLock { state in (state.hostFailure, state.failure) = (nil, nil) }
        #expect(await eventually { world.state.withLock { $0.applied.map { Array($0.values) } } == [[[7]]] })
        #expect(world.state.withLock { $0.policies.last } == ["web"])
    }

    @Test("monitors get verdicts and losses, and the ring is only read while one listens")
    func monitors() async throws {
        let client = try await started()
        #expect(world.state.withLock { !$0.isListening })
        try client.send(.monitor(MonitorFilter(dropsOnly: true)))
        #expect(await eventually { world.state.withLock { $0.isListening } })
        let record = VerdictRecord(
            source: Fixtures.address("10.0.0.2"), destination: Fixtures.address("10.0.0.1"), sourcePort: 9,
            destinationPort: 80, protocol: .tcp, slot: 0, direction: .ingress, remoteIdentity: 300, ruleHit: 0,
            revision: 1, reason: VerdictReason.policyDefault.rawValue, length: 60)
        var passed = record
        passed.reason = VerdictReason.allowed.rawValue
        world.state.withLock { $0.records = [passed, record] }
        guard case .verdict(let verdict) = try await client.next() else { throw TestFailure("no verdict") }
        #expect(verdict.isDrop)
        #expect(verdict.subject == "shop/web")
        #expect(verdict.source.pod == "shop/db")
        // What the filter does not want is no loss, however much it is; of what it wants, a share a second is sent.
        world.state.withLock { $0.records = Array(repeating: passed, count: 50_000) }
        let count = 20_000
        world.state.withLock { $0.records = Array(repeating: record, count: count) }
        var sent: UInt64 = 0
        var lost: UInt64 = 0
        while sent + lost < UInt64(count) {
            switch try await client.next() {
            case .verdict: sent += 1
            case .lost(let more): lost += more
            case let other: throw TestFailure("\(String(describing: other))")
            }
        }
        #expect(sent + lost == UInt64(count))
        #expect(lost > UInt64(count) / 2)
    }

    @Test("the ring is left alone when the last monitor is gone")
    func monitorGone() async throws {
        _ = try await started()
        do {
            let client = try WaitingClient(path: scratch.file("s"))
            try client.send(.monitor(MonitorFilter()))
            #expect(await eventually { world.state.withLock { $0.isListening } })
        }
        #expect(await eventually { world.state.withLock { !$0.isListening } })
    }
}
