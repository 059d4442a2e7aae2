import Logging
import Support

@testable import Agent

/// An agent over a fake world, with its tasks; ended with this object.
final class RunningService: Sendable {
    let service: AgentService
    private let task: Task<Void, any Error>
    private let begins: AsyncStream<Void>.Continuation

    /// An agent that has not started.
    init(
        _ world: FakeWorld, socket: String, debounce: Int = 5, resync: Duration = .seconds(60),
        collection: Duration = .seconds(10), observe: Duration = .seconds(5), services: ServiceChoice? = nil,
        compiler: sending (any PolicyCompiler)? = nil
    ) throws {
        var logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        logger.logLevel = .critical
        let service = AgentService(
            options: .init(
                instance: "test", settings: Fixtures.settings(debounce: debounce), services: services,
                collection: collection,
                resync: resync, observe: observe),
            ports: .init(sources: [world], node: world, datapath: world, compiler: compiler ?? world),
            server: try LocalServer(path: socket), logger: logger)
        let (stream, begins) = AsyncStream.makeStream(of: Void.self)
        self.service = service
        self.begins = begins
        task = Task {
            for await _ in stream { return try await service.run() }
        }
    }

    deinit { task.cancel() }

    /// Starts.
    func begin() { begins.yield() }

    /// Starts; returns when everything is in force.
    func start() async {
        begin()
        _ = await service.waitUntilInForce(.seconds(120))
    }

    /// Ends, and waits for it.
    func stop() async {
        task.cancel()
        _ = await task.result
    }
}
