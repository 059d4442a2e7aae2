import BPFEmit
import NetTypes
import PolicyAPI
import PolicyIR

/// Makes the rows of `netpold endpoints` from one state of the node.
struct EndpointReporting {
    var match: EndpointMatch
    var report: ApplyReport?
    var image: NodeImage?
    var evaluator: ReferenceEvaluator?
    var isolatesUnknown: Bool

    /// The rows, sorted by name.
    func rows() -> [EndpointReport] {
        let applied = Dictionary(
            (report?.endpoints ?? []).map { ($0.key, $0) }, uniquingKeysWith: { first, _ in first })
        let images = Dictionary(
            (image?.endpoints ?? []).map { ($0.key, $0) }, uniquingKeysWith: { first, _ in first })
        var rows = match.attached.map { attached in
            var row = row(attached.pod, state: .pending)
            row.netns = attached.netns
            row.interface = attached.interface.name
            row.ifindex = attached.interface.ifindex
            row.identity = images[attached.key]?.identity
            if let endpoint = applied[attached.key] {
                row.slot = endpoint.slot
                row.revision = endpoint.revision
                row.state = endpoint.failure == nil ? .ready : .failed
            }
            return row
        }
        rows += match.waiting.map { row($0, state: .waiting) }
        rows += match.unknown.map { stranger in
            EndpointReport(
                name: "netns \(stranger.netns)", addresses: stranger.interface.addresses.sorted().map(\.description),
                netns: stranger.netns, interface: stranger.interface.name, ifindex: stranger.interface.ifindex,
                slot: nil,
                identity: nil, ingressPolicies: [], egressPolicies: [], isIngressIsolated: isolatesUnknown,
                isEgressIsolated: isolatesUnknown, revision: nil, state: isolatesUnknown ? .isolated : .unenforced)
        }
        return rows.sorted { ($0.name, $0.ifindex ?? 0) < ($1.name, $1.ifindex ?? 0) }
    }

    private func row(_ pod: Pod, state: EndpointReport.State) -> EndpointReport {
        EndpointReport(
            name: pod.qualifiedName, addresses: pod.addresses.map(\.description), netns: nil, interface: nil,
            ifindex: nil, slot: nil, identity: nil, ingressPolicies: policies(pod, .ingress),
            egressPolicies: policies(pod, .egress), isIngressIsolated: isIsolated(pod, .ingress),
            isEgressIsolated: isIsolated(pod, .egress), revision: nil, state: state)
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
