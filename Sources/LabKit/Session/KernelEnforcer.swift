public import BPFEmit
import Datapath
public import PolicyIR
public import Support

/// Enforces by programming the lab's nodes from this process: compiled once, loaded once, pinned. For manifests an agent
/// could not use as they are: pods without addresses, of several nodes, or not in one folder.
public final class KernelEnforcer: Enforcer {
    private let policies: [LoweredPolicy]
    private let services: ServiceSettings
    private let fastPath: FastPathMode

    /// An enforcer of these policies.
    public init(
        _ policies: [LoweredPolicy], services: ServiceSettings = ServiceSettings(mode: .translate),
        fastPath: FastPathMode = .off
    ) {
        self.policies = policies
        self.services = services
        self.fastPath = fastPath
    }

    /// Compiles the plan's objects for each node, and programs it.
    public func start(
        _ plan: LabPlan, _ network: RoutedNetwork, folder: LabFolder, interrupt: Interrupt,
        launched: (Int32) throws -> Void
    ) throws {
        for (number, node) in network.nodes.enumerated() {
            try program(number, node, plan, instance: folder.instance(ofNode: number))
            try interrupt.check()
        }
    }

    private func program(_ number: Int, _ node: NetworkNamespace, _ plan: LabPlan, instance: String) throws {
        let image = CompilerState(
            plan.objects, policies: policies, localNode: plan.nodes[number].name, serviceSettings: services
        ).image
        let report = try node.run {
            // Interface numbers and attachments are those of the namespace this runs in.
            let links = try NetlinkSocket().links()
            var interfaces: [EndpointKey: UInt32] = [:]
            for pod in plan.pods where pod.node == number {
                guard let link = links.first(where: { $0.name == pod.nodeInterface }) else { continue }
                let key = image.endpoints.first { $0.namespace == pod.namespace && $0.name == pod.name }?.key
                if let key { interfaces[key] = UInt32(link.index) }
            }
            var options = DatapathOptions(pins: try PinPath(instance: instance))
            options.services = services.mode
            options.fastPath = fastPath
            let datapath = try NodeDatapath(options)
            let report = try datapath.apply(image, interfaces: interfaces)
            _ = try datapath.refreshFastPath()
            return report
        }
        let failures = report.endpoints.compactMap { endpoint in
            endpoint.failure.map { "\(endpoint.key): \($0)" }
        }
        let missing = report.withoutInterface.map { "\($0): no interface" }
        guard failures.isEmpty, missing.isEmpty else {
            throw LabFailure.environment("not enforced on \((failures + missing).joined(separator: "; "))")
        }
    }
}
