import Agent
import Glibc
public import PolicyIR
public import Support

/// Enforces as users do: by `netpold agent` on the lab's node, watching the folder of manifests.
public final class AgentEnforcer: Enforcer {
    private let manifests: String
    private let services: ServiceMode?
    private let clock = ContinuousClock()

    /// An agent for a folder of manifests; `nil` for `services`: the agent decides what it does about them.
    public init(manifests: String, services: ServiceMode? = nil) {
        self.manifests = manifests
        self.services = services
    }

    /// Starts the agent and waits until it enforces on every pod of the plan.
    public func start(
        _ plan: LabPlan, _ network: RoutedNetwork, folder: LabFolder, interrupt: Interrupt,
        launched: (Int32) throws -> Void
    ) throws {
        let agent = try LabProcess.start(
            [
                "agent", "--manifests", manifests, "--instance", folder.instance, "--node", plan.nodeName,
                "--netns", NetworkLayout.nodePath(in: folder.network),
                "--netns-dir", NetworkLayout.podsFolder(in: folder.network),
            ] + (services.map { ["--services", $0.rawValue] } ?? []) + (plan.needsProxy ? ["--l7-proxy"] : []),
            log: folder.agentLog)
        try launched(agent)
        let progress = ProgressBar("waiting for the agent", of: plan.pods.count)
        defer { progress.finish() }
        let deadline = clock.now + .seconds(60)
        while true {
            try interrupt.check()
            guard LabProcess.isRunning(child: agent) else {
                throw LabFailure.environment("the agent ended: \(LabProcess.text(of: folder.agentLog))")
            }
            let ready = (try? readyPods(folder.instance)) ?? []
            let missing = plan.pods.filter { !ready.contains($0.qualifiedName) }
            if missing.isEmpty { break }
            progress.show(plan.pods.count - missing.count)
            guard clock.now < deadline else {
                let names = missing.map(\.qualifiedName).joined(separator: ", ")
                throw LabFailure.environment(
                    "after a minute the agent does not enforce on \(names): \(LabProcess.text(of: folder.agentLog))")
            }
            usleep(20_000)
        }
        if plan.needsProxy { try startProxy(folder, interrupt) }
    }

    /// Starts the proxy beside the agent, and waits until it serves.
    private func startProxy(_ folder: LabFolder, _ interrupt: Interrupt) throws {
        guard let paths = InstancePaths(instance: folder.instance) else { return }
        let proxy = try LabProcess.start(
            ["proxy", "--instance", folder.instance, "--loops", "1", "--access-log", folder.accessLog],
            log: folder.proxyLog)
        let deadline = clock.now + .seconds(30)
        while access(paths.proxyState, F_OK) != 0 {
            try interrupt.check()
            guard LabProcess.isRunning(child: proxy), clock.now < deadline else {
                throw LabFailure.environment("the proxy does not serve: \(LabProcess.text(of: folder.proxyLog))")
            }
            usleep(20_000)
        }
    }

    /// The pods on which everything seen so far is in force. Throws while the agent does not answer yet.
    private func readyPods(_ instance: String) throws -> Set<String> {
        guard let paths = InstancePaths(instance: instance) else { return [] }
        let client = try LocalClient(path: paths.socket)
        try client.send(.wait(timeoutMilliseconds: 1000))
        guard case .waited(inForce: true, _) = try client.next() else { return [] }
        guard let endpoints = try client.list(EndpointReport.self) else { return [] }
        return Set(endpoints.rows.filter { $0.state == .ready }.map(\.name))
    }
}
