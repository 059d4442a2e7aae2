import Agent
import Glibc
import Logging
import ServiceLifecycle
import Support

/// The agent and what ends it: a signal, or with `once` that everything is in force.
struct AgentRun: Sendable {
    let service: AgentService
    let signals: SignalListener
    /// End when everything read is in force, after this time at most; `nil` to go on until a signal.
    let once: Duration?
    let logger: Logger
    /// What else runs as long as the agent.
    var others: [any Service] = []

    /// Runs until the end.
    ///
    /// - Throws: what keeps the agent from running.
    func run() async throws {
        var configuration = ServiceGroupConfiguration(
            services: ([service] + others).map { .init(service: $0) }
                + [.init(service: Ending(run: self), successTerminationBehavior: .gracefullyShutdownGroup)],
            logger: logger)
        configuration.maximumGracefulShutdownDuration = .seconds(30)
        try await ServiceGroup(configuration: configuration).run()
    }

    /// Returns when it is time to end.
    private struct Ending: Service {
        let run: AgentRun

        func run() async throws {
            // What an earlier agent has pinned enforces already, and this one answers: whoever starts after it need not wait for an API
            // server. `netpold status --wait` and /readyz say when everything is in force.
            ServiceManager.tell("READY=1")
            defer { ServiceManager.tell("STOPPING=1") }
            await withTaskGroup { group in
                group.addTask { await run.obeySignals() }
                if let limit = run.once { group.addTask { _ = await run.service.waitUntilInForce(limit) } }
                await group.next()
                group.cancelAll()
            }
        }
    }

    private func obeySignals() async {
        for await number in signals.received {
            let name = SignalListener.name(of: number)
            if number == SIGHUP {
                logger.notice("reading everything again", metadata: ["signal": "\(name)"])
                await service.reload()
            } else {
                logger.notice("ending; what is loaded goes on enforcing", metadata: ["signal": "\(name)"])
                return
            }
        }
    }
}
