import Agent
import Datapath
import Foundation
import Glibc
public import Support

/// One run of a lab: clean up what an earlier run left, build, enforce, probe, and take everything away again.
public final class LabSession {
    private let plan: LabPlan
    private let manifests: [String]
    private let folder: LabFolder
    private let enforcer: any Enforcer
    private let interrupt: Interrupt
    private let isKept: Bool
    private let isBesideKubeProxy: Bool
    private var state: LabState

    /// A run that has not begun.
    ///
    /// - Throws: `LabFailure` when the lab of this name is in use or was kept, or without root.
    private init(
        _ plan: LabPlan, manifests: [String], name: String, enforcer: any Enforcer, interrupt: Interrupt, isKept: Bool,
        isBesideKubeProxy: Bool, choice: LabChoice?
    ) throws {
        self.plan = plan
        self.isBesideKubeProxy = isBesideKubeProxy
        self.manifests = manifests
        self.enforcer = enforcer
        self.interrupt = interrupt
        self.isKept = isKept
        folder = try LabFolder(claiming: name)
        if let earlier = folder.state {
            if earlier.isKept {
                throw LabFailure.environment(
                    "lab \"\(name)\" was kept by an earlier run; `netpold lab --down\(LabSession.option(name))` removes it"
                )
            }
            ErrorOutput.write("cleaning up after process \(earlier.pid), which left lab \"\(name)\" behind\n")
            try folder.remove()
            throw Restart()
        }
        let probing = LabProbing(plan: plan)
        state = LabState(
            pid: getpid(), manifests: manifests, pods: plan.pods, nodes: plan.nodes,
            served: probing.served, names: probing.zone, services: LabHosts.services(of: plan.objects), choice: choice)
        try folder.write(state)
    }

    /// The folder of a crashed run was removed, its lock with it: claim anew.
    private struct Restart: Error {}

    /// Makes a session, cleaning up after a crashed one first. With `isBesideKubeProxy` the nodes translate Services by rules
    /// like kube-proxy's.
    public static func begin(
        _ plan: LabPlan, manifests: [String], name: String, enforcer: any Enforcer, interrupt: Interrupt, isKept: Bool,
        isBesideKubeProxy: Bool = false, choice: LabChoice? = nil
    ) throws -> LabSession {
        do {
            return try LabSession(
                plan, manifests: manifests, name: name, enforcer: enforcer, interrupt: interrupt, isKept: isKept,
                isBesideKubeProxy: isBesideKubeProxy, choice: choice)
        } catch is Restart {
            return try LabSession(
                plan, manifests: manifests, name: name, enforcer: enforcer, interrupt: interrupt, isKept: isKept,
                isBesideKubeProxy: isBesideKubeProxy, choice: choice)
        }
    }

    /// ` --name N`, or nothing for the default name.
    public static func option(_ name: String) -> String { name == LabFolder.defaultName ? "" : " --name \(name)" }

    /// Builds, enforces, probes. The lab is gone when this returns or throws, unless it succeeded and is to be kept.
    public func run() throws -> LabResult {
        do {
            let result = try measure()
            if isKept { try keep() } else { try takeAway() }
            return result
        } catch {
            do { try takeAway() } catch let second { ErrorOutput.write("error: \(second)\n") }
            throw error
        }
    }

    private func measure() throws -> LabResult {
        LabProcess.raiseFileLimit()
        let probing = LabProbing(plan: plan)
        try FileManager.default.createDirectory(atPath: folder.network, withIntermediateDirectories: true)
        let building = ProgressBar("building network namespaces", of: plan.pods.count)
        let network = try RoutedNetwork.build(probing.layout, in: folder.network) { done in
            try interrupt.check()
            building.show(done)
        }
        building.finish()

        let loop = try EventLoop()
        let responders = try LabProbing.respond(
            state.served, names: state.names ?? [:], in: network, loop: loop)
        defer { withExtendedLifetime(responders) {} }
        if isBesideKubeProxy {
            for (number, node) in network.nodes.enumerated() {
                let frontends = plan.frontends.filter { $0.nodes.contains(number) }
                try KubeProxyRules(frontends.map(\.frontend)).install(in: node)
            }
        }
        let measuring = LabMeasuring(plan: plan, interrupt: interrupt)
        let probes = try probing.probes(network)
        let control = try measuring.probe(LabProbing.patient(probes), "trying without policies", loop)
        try checkUnhindered(control, probing)
        let direct = LabProbing.patient(try probing.requestProbes(network, of: probing.directFlows))
        try checkUnhindered(
            requests: try measuring.probe(direct, "trying requests without policies", loop), probing)

        try enforcer.start(plan, network, folder: folder, interrupt: interrupt) { agent in
            state.agents.append(agent)
            try folder.write(state)
        }
        return try measuring.result(network, loop)
    }

    /// Silence says something about policies only where there is an answer without them.
    private func checkUnhindered(_ outcomes: [ProbeOutcome], _ probing: LabProbing) throws {
        let failures = zip(plan.flows, probing.measurements(outcomes)).filter { $0.1 != .answered }
        guard let (flow, measurement) = failures.first else { return }
        throw LabFailure.environment(
            "\(failures.count) of \(plan.flows.count) probes fail without any policy, for example "
                + "\(plan.name(of: flow.from)) -> \(plan.name(of: flow.to)) \(flow.traffic) over IPv\(flow.family): "
                + "\(measurement.summary); this machine's kernel or firewall is in the way")
    }

    /// The same of requests, but for those through Services, which nobody translates yet.
    private func checkUnhindered(requests outcomes: [ProbeOutcome], _ probing: LabProbing) throws {
        let measured = zip(probing.directFlows, probing.requestMeasurements(outcomes, of: probing.directFlows))
        let failures = measured.filter { $0.1 != .answered }
        guard let (flow, measurement) = failures.first else { return }
        throw LabFailure.environment(
            "\(failures.count) of \(outcomes.count) requests fail without any policy, for example "
                + "\(plan.name(of: flow.from)) -> \(plan.name(of: flow.to)) \(flow.traffic) \(flow.attempt.summary): "
                + "\(measurement.summary)")
    }

    private func keep() throws {
        state.isKept = true
        try LabResponders.start(&state, folder, interrupt)
    }

    private func takeAway() throws {
        try folder.remove()
    }
}
