import BPFEmit
import NetpoldTestSupport
import Support
import Synchronization
import Testing

@testable import Agent

/// Clients are answered from what is published, whatever the datapath, the sources and other clients do.
@Suite(.timeLimit(.minutes(3)), .serialized) struct BusyServiceTests {
    private let scratch: ScratchFolder
    private let world = FakeWorld()

    init() throws {
        scratch = try ScratchFolder()
        world.state.withLock { state in
            state.snapshot = ["a.yaml": ManifestFile(objects: [.pod(Fixtures.pod("web", "10.0.0.1"))], refused: [])]
            state.node = Fixtures.host([(7, "10.0.0.1")])
        }
    }

    @Test("39,500 pipelined status requests do not delay a policy change, and are counted for only so often")
    func pipelinedStatus() async throws {
        let service = try RunningService(world, socket: scratch.file("s"))
        await service.start()
        let path = scratch.file("s")
        let counted = world.state.withLock(\.counted)
        let start = ContinuousClock.now
        let flooding = Task.detached {
            let client = try RawClient(path)
            let line = Array("{\"type\":\"status\",\"version\":2}\n".utf8)
            var offered = 0
            let bytes = Array(repeating: line, count: 39_500).flatMap(\.self)
            while offered < bytes.count, !Task.isCancelled {
                let count = client.offer(Array(bytes[offered...].prefix(1 << 14)))
                offered += count
                for _ in 0..<20 where count > 0 { _ = await client.readLine() }
            }
        }
        let client = try WaitingClient(path: path)
        for round in 0..<5 {
            world.change { state in
                state.snapshot["b.yaml"] = ManifestFile(
                    objects: [Fixtures.policy("round\(round)", app: "web", directions: [.ingress])], refused: [])
            }
            // The clients of old held up a change for ten minutes. Other tests run beside this one: no finer bound holds.
            try client.send(.wait(timeoutMilliseconds: 20_000))
            guard case .waited(true, _) = try await client.next() else { throw TestFailure("not in force") }
        }
        flooding.cancel()
        _ = await flooding.result
        let rounds = (ContinuousClock.now - start) / CounterCache.freshness
        #expect(Double(world.state.withLock(\.counted) - counted) <= rounds + 2)
        await service.stop()
    }

    @Test("status answers while an apply blocks, with the counters as they were")
    func statusDuringApply() async throws {
        let service = try RunningService(world, socket: scratch.file("s"))
        await service.start()
        let client = try WaitingClient(path: scratch.file("s"))
        try client.send(.status)
        _ = try await client.next()
        world.change { state in
            state.blocking = .seconds(8)
            state.snapshot["b.yaml"] = ManifestFile(
                objects: [Fixtures.policy("slow", app: "web", directions: [.ingress])], refused: [])
        }
        func ask() async throws -> StatusReport {
            let start = ContinuousClock.now
            try client.send(.status)
            guard case .status(let status) = try await client.next() else { throw TestFailure("no status") }
            #expect(ContinuousClock.now - start < .seconds(4), "it waited for the apply")
            return status
        }
        try await Task.sleep(for: Health.settling + .milliseconds(500))
        // On a busy machine the change is seen later.
        var status = try await ask()
        for _ in 0..<100 where status.isInForce || status.health.isHealthy {
            try await Task.sleep(for: .milliseconds(100))
            status = try await ask()
        }
        #expect(!status.isInForce && !status.health.isHealthy)
        #expect(status.reasons.map(\.reason) == ["NP_DROP_POLICY_DEFAULT"])
        world.state.withLock { $0.blocking = .zero }
        await service.stop()
    }

    @Test("an audit that fails is tried again soon, and nothing is said to be well meanwhile")
    func auditRetry() async throws {
        let service = try RunningService(world, socket: scratch.file("s"), resync: .milliseconds(200))
        await service.start()
        world.state.withLock { $0.failure = SystemError("read", "np_endpoints", .ioError) }
        #expect(await eventually { service.service.health.problems.map(\.subject) == ["datapath"] })
        world.state.withLock { $0.failure = nil }
        #expect(await eventually { service.service.health.isHealthy })
        await service.stop()
    }

    @Test("a reload finds what nobody told of, and one that waits ends with its client")
    func reload() async throws {
        let service = try RunningService(world, socket: scratch.file("s"))
        await service.start()
        world.state.withLock { state in
            state.snapshot["b.yaml"] = ManifestFile(
                objects: [Fixtures.policy("db", app: "web", directions: [.egress])], refused: [])
        }
        await service.service.reload()
        #expect(await eventually { world.state.withLock { $0.policies.last == ["db"] } })
        await service.stop()
    }

    @Test("an agent that ends finishes what it applies, hangs up on clients and removes its socket")
    func stops() async throws {
        let service = try RunningService(world, socket: scratch.file("s"))
        await service.start()
        let monitor = try RawClient(scratch.file("s"))
        monitor.send("{\"type\":\"monitor\",\"version\":2}\n")
        #expect(await eventually { world.state.withLock { $0.isListening } })
        await service.stop()
        #expect(world.state.withLock { !$0.isListening })
        #expect(await eventually { monitor.isHungUp })
        #expect(throws: (any Error).self) { try RawClient(scratch.file("s")) }
    }
}
