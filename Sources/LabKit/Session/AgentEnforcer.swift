import Agent
public import BPFEmit
package import Datapath
import Glibc
public import PolicyIR
public import Support

/// Enforces as users do: by `netpold agent` on each of the lab's nodes.
public final class AgentEnforcer: Enforcer {
    private let source: (_ node: NetworkNamespace) throws -> [String]
    private let services: ServiceMode?
    private let fastPath: FastPathMode
    private let program: String
    private let clock = ContinuousClock()

    /// Agents that all watch a folder of manifests; `nil` for `services`: the agents decide what they do about them.
    public convenience init(manifests: String, services: ServiceMode? = nil, fastPath: FastPathMode = .off) {
        self.init(services: services, fastPath: fastPath) { _ in ["--manifests", manifests] }
    }

    /// Agents that get their objects as `source` says: the arguments of the agent in a node's namespace.
    ///
    /// - Parameters:
    ///   - services: `nil`: the agents decide what they do about them.
    ///   - fastPath: whether flows between pods of a node go past its stack.
    ///   - program: the path of netpold; `nil`: this program is it.
    ///   - source: called for each node.
    package init(
        services: ServiceMode? = nil, fastPath: FastPathMode = .off, program: String? = nil,
        source: @escaping (NetworkNamespace) throws -> [String]
    ) {
        self.source = source
        self.services = services
        self.fastPath = fastPath
        self.program = program ?? LabProcess.ownPath
    }

    /// Starts the agents and waits until they enforce on every pod of the plan.
    public func start(
        _ plan: LabPlan, _ network: RoutedNetwork, folder: LabFolder, interrupt: Interrupt,
        launched: (Int32) throws -> Void
    ) throws {
        var agents: [Int32] = []
        for (node, namespace) in network.nodes.enumerated() {
            let place = [
                "--instance", folder.instance(ofNode: node), "--node", plan.nodes[node].name,
                "--netns", NetworkLayout.nodePath(in: folder.network, node: node),
                "--netns-dir", NetworkLayout.podsFolder(in: folder.network, node: node),
            ]
            let choices =
                (services.map { ["--services", $0.rawValue] } ?? []) + (plan.needsProxy ? ["--l7-proxy"] : [])
                + ["--fast-path", fastPath.rawValue]
            let agent = try LabProcess.start(
                ["agent"] + source(namespace) + place + choices, log: folder.agentLog(ofNode: node), program: program)
            agents.append(agent)
            try launched(agent)
        }
        try waitUntilReady(agents, plan, folder, interrupt)
        guard plan.needsProxy else { return }
        for node in plan.nodes.indices { try startProxy(ofNode: node, folder, interrupt) }
    }

    private func waitUntilReady(
        _ agents: [Int32], _ plan: LabPlan, _ folder: LabFolder, _ interrupt: Interrupt
    ) throws {
        let progress = ProgressBar(
            agents.count == 1 ? "waiting for the agent" : "waiting for the agents", of: plan.pods.count)
        defer { progress.finish() }
        let deadline = clock.now + .seconds(60)
        while true {
            try interrupt.check()
            var missing: [LabPod] = []
            for (node, agent) in agents.enumerated() {
                guard LabProcess.isRunning(child: agent) else {
                    throw LabFailure.environment(
                        "the agent ended: \(LabProcess.text(of: folder.agentLog(ofNode: node)))")
                }
                let ready = (try? readyPods(folder.instance(ofNode: node))) ?? []
                missing += plan.pods.filter { $0.node == node && !ready.contains($0.qualifiedName) }
            }
            guard let first = missing.first else { return }
            progress.show(plan.pods.count - missing.count)
            guard clock.now < deadline else {
                let names = missing.map(\.qualifiedName).joined(separator: ", ")
                throw LabFailure.environment(
                    "after a minute the agent does not enforce on \(names): "
                        + LabProcess.text(of: folder.agentLog(ofNode: first.node)))
            }
            usleep(20_000)
        }
    }

    /// Starts the proxy beside a node's agent, and waits until it serves.
    private func startProxy(ofNode node: Int, _ folder: LabFolder, _ interrupt: Interrupt) throws {
        let instance = folder.instance(ofNode: node)
        guard let paths = InstancePaths(instance: instance) else { return }
        let log = folder.proxyLog(ofNode: node)
        let proxy = try LabProcess.start(
            ["proxy", "--instance", instance, "--loops", "1", "--access-log", folder.accessLog(ofNode: node)], log: log,
            program: program)
        let deadline = clock.now + .seconds(30)
        while access(paths.proxyState, F_OK) != 0 {
            try interrupt.check()
            guard LabProcess.isRunning(child: proxy), clock.now < deadline else {
                throw LabFailure.environment("the proxy does not serve: \(LabProcess.text(of: log))")
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
