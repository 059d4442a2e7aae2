import BPFEmit
import NetTypes
import PolicyAPI
import PolicyIR

/// Makes the rows of `netpold endpoints` from one state of the node.
struct EndpointReporting {
    var view: BindingView
    var report: ApplyReport?
    var image: NodeImage?
    var evaluator: ReferenceEvaluator?
    /// What each endpoint has of the flow table.
    var shares: [EndpointKey: FlowShare] = [:]

    /// The rows, sorted by name.
    func rows() -> [EndpointReport] {
        let applied = Dictionary(
            (report?.endpoints ?? []).map { ($0.key, $0) }, uniquingKeysWith: { first, _ in first })
        let images = Dictionary(
            (image?.endpoints ?? []).map { ($0.key, $0) }, uniquingKeysWith: { first, _ in first })
        var rows = view.endpoints.map { endpoint in
            var row = row(endpoint.pod, state: .pending)
            row.netns = endpoint.netns
            row.interface = endpoint.links.map(\.name).joined(separator: ",")
            row.ifindex = endpoint.links.first?.ifindex
            row.identity = images[endpoint.key]?.identity
            row.evidence = endpoint.rank.name
            row.reason = reason([row.name] + endpoint.links.map(\.name))
            add(applied[endpoint.key], to: &row, inForce: endpoint.isCurrent ? .ready : .orphan)
            return row
        }
        rows += view.waiting.map { pod in
            let reason = reason([pod.qualifiedName])
            var row = row(pod, state: reason == nil ? .waiting : .unenforced)
            row.reason = reason
            return row
        }
        rows += view.stubs.map { stub in
            var row = row(stub.link, netns: stub.netns, addresses: stub.addresses, isIsolated: true, .pending)
            row.evidence = stub.rank.name
            row.reason = reason([stub.netns, stub.link.name])
            add(applied[stub.key], to: &row, inForce: .isolated)
            return row
        }
        rows += view.foreign.filter { $0.isMounted || $0.isPod }.map { stranger in
            var row = row(stranger.link, netns: stranger.netns, addresses: [], isIsolated: false, .unenforced)
            row.reason = reason([stranger.netns])
            return row
        }
        return rows.sorted { ($0.name, $0.ifindex ?? 0) < ($1.name, $1.ifindex ?? 0) }
    }

    private func add(_ applied: ApplyReport.Endpoint?, to row: inout EndpointReport, inForce: EndpointReport.State) {
        guard let applied else { return }
        row.slot = applied.slot
        row.revision = applied.revision
        row.state = applied.failure == nil ? inForce : .failed
        row.reason = applied.failure ?? row.reason
        row.flows = shares[applied.key]
    }

    /// What the conditions of the binding say of these subjects.
    private func reason(_ subjects: [String]) -> String? {
        let messages = view.conditions.filter { subjects.contains($0.subject) }.map(\.message)
        return messages.isEmpty ? nil : messages.joined(separator: "; ")
    }

    private func row(_ pod: Pod, state: EndpointReport.State) -> EndpointReport {
        EndpointReport(
            name: pod.qualifiedName, addresses: pod.addresses.map(\.description), netns: nil, interface: nil,
            ifindex: nil, slot: nil, identity: nil, ingressPolicies: policies(pod, .ingress),
            egressPolicies: policies(pod, .egress), isIngressIsolated: isIsolated(pod, .ingress),
            isEgressIsolated: isIsolated(pod, .egress), revision: nil, state: state)
    }

    /// A row of an interface without pod.
    private func row(
        _ link: HostLink, netns: String, addresses: [IPAddress], isIsolated: Bool, _ state: EndpointReport.State
    ) -> EndpointReport {
        EndpointReport(
            name: "netns \(netns)", addresses: addresses.map(\.description), netns: netns, interface: link.name,
            ifindex: link.ifindex, slot: nil, identity: nil, ingressPolicies: [], egressPolicies: [],
            isIngressIsolated: isIsolated, isEgressIsolated: isIsolated, revision: nil, state: state)
    }

    private func isIsolated(_ pod: Pod, _ direction: Direction) -> Bool {
        evaluator?.subjectPolicy(for: pod, direction).isIsolated ?? false
    }

    private func policies(_ pod: Pod, _ direction: Direction) -> [String] {
        guard let policy = evaluator?.subjectPolicy(for: pod, direction) else { return [] }
        let origins = policy.isolatedBy + policy.rules.map(\.origin)
        return Array(Set(origins.map { FlowVerdict.Rule($0).object })).sorted()
    }
}
