import Foundation

/// netpold as a chained CNI plugin: no pod starts before its policies are in force.
///
/// ADD closes the host's ends of the pod's interfaces first, then notes whose they are, then waits for the agent. So a pod that the agent
/// does not know yet, or that starts while no agent runs, reaches nobody and is reached by nobody: what is closed is opened by the
/// agent's programs alone, which take its place in one step.
public struct CNIPlugin<Host: CNIHost> {
    private let host: Host
    private let records: CNIRecordFolder

    /// A plugin of one machine that keeps its notes in a folder.
    public init(_ host: Host, records: CNIRecordFolder) {
        self.host = host
        self.records = records
    }

    /// Does what the runtime asks for.
    ///
    /// - Parameters:
    ///   - invocation: what to do.
    ///   - configuration: how.
    ///   - warn: takes what the runtime's log should hold.
    /// - Returns: what to print; empty for commands that print nothing.
    /// - Throws: what to print instead.
    public func run(
        _ invocation: CNIInvocation, _ configuration: CNIConfiguration, warn: (String) -> Void
    ) throws(CNIError) -> [UInt8] {
        switch invocation.command {
        case .add: return try add(invocation, configuration, warn)
        case .delete:
            try records.remove(
                network: configuration.network, container: invocation.containerID, interface: invocation.interface)
            return []
        case .check:
            try check(invocation, configuration)
            return []
        case .collect:
            if let valid = configuration.valid { try records.keep(valid, network: configuration.network) }
            do { try host.sweep(configuration) } catch { throw CNIError(.inputOutput, "\(error)") }
            return []
        case .status:
            // A runtime that is told so says that its node is not ready. Pods that start closed do not wait for an agent.
            if configuration.onTimeout == .fail, let reason = host.unavailability(configuration) {
                throw CNIError(
                    .notAvailable, "no netpold agent answers: pods that start now wait for one", details: reason)
            }
            return []
        case .version: return CNIVersion.list
        }
    }

    private func add(
        _ invocation: CNIInvocation, _ configuration: CNIConfiguration, _ warn: (String) -> Void
    ) throws(CNIError) -> [UInt8] {
        guard let previous = configuration.previous else {
            throw CNIError(
                .invalidConfiguration, "there is no prevResult",
                details: "netpold enforces what other plugins connect: list it after them in the conflist")
        }
        let links = try look(invocation)
        if let reason = links.goesAround {
            guard configuration.unenforceable == .allow else {
                throw CNIError(
                    .notEnforceable, "\(invocation.interface) cannot be enforced: \(reason)",
                    details: "\"unenforceable\": \"allow\" in netpold's part of the conflist lets such pods start")
            }
            warn("\(invocation.interface) of \(invocation.netns) is not enforced: \(reason)")
        }
        for link in links.veths {
            do { try host.close(link, configuration) } catch {
                throw CNIError(
                    .notClosed, "\(link.name) cannot be closed until the pod's policies are in force",
                    details: "\(error)")
            }
        }
        try records.write(invocation, configuration, links: links.veths.map(\.name))
        if !links.veths.isEmpty {
            let admission = host.admit(
                CNIPod(invocation), links: links.veths, configuration, seconds: configuration.waitSeconds)
            if case .late(let reason) = admission {
                let message = "the pod's policies are not in force after \(configuration.waitSeconds) s"
                guard configuration.onTimeout == .start else {
                    throw CNIError(.tryAgainLater, message, details: reason)
                }
                warn("\(message): \(reason); it starts and reaches nobody until they are")
            }
        }
        guard let data = try? JSONSerialization.data(withJSONObject: previous, options: [.sortedKeys]) else {
            throw CNIError(.invalidConfiguration, "prevResult cannot be written again")
        }
        return Array(data) + [UInt8(ascii: "\n")]
    }

    private func check(_ invocation: CNIInvocation, _ configuration: CNIConfiguration) throws(CNIError) {
        guard records.holds(invocation, network: configuration.network) else {
            throw CNIError(.notInForce, "netpold was not called for \(invocation.interface) of this container")
        }
        let links = try look(invocation)
        for link in links.veths {
            let isDecided: Bool
            do { isDecided = try host.isDecided(link, configuration) } catch {
                throw CNIError(.inputOutput, "\(error)")
            }
            guard isDecided else { throw CNIError(.notInForce, "\(link.name) has no program of netpold") }
        }
        guard !links.veths.isEmpty else { return }
        let admission = host.admit(
            CNIPod(invocation), links: links.veths, configuration, seconds: min(2, configuration.waitSeconds))
        if case .late(let reason) = admission {
            throw CNIError(.notInForce, "the pod's policies are not in force", details: reason)
        }
    }

    private func look(_ invocation: CNIInvocation) throws(CNIError) -> CNIHostLinks {
        do {
            return try host.links(into: invocation.netns, interface: invocation.interface)
        } catch {
            throw CNIError(
                .inputOutput, "the network namespace \(invocation.netns) cannot be looked at", details: "\(error)")
        }
    }
}
