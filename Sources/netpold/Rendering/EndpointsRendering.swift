import Agent
import BPFEmit
import Support

/// Writes `netpold endpoints` for people.
struct EndpointsRendering: Sendable {
    private let style: TextStyle

    /// A rendering.
    init(style: TextStyle) {
        self.style = style
    }

    /// The table.
    func lines(_ endpoints: [EndpointReport]) -> [String] {
        guard !endpoints.isEmpty else { return ["no endpoints: no pod of the manifests is on this node"] }
        let hasFlows = endpoints.contains { $0.flows != nil }
        var table = TextTable(
            header: [
                "pod", "state", "addresses", "interface", "bound by", "slot", "identity", "rev", "ingress", "egress",
            ] + (hasFlows ? ["flows"] : []))
        for endpoint in endpoints {
            let cells = [
                endpoint.name, endpoint.state.rawValue, endpoint.addresses.joined(separator: ","),
                endpoint.interface.map { "\($0)#\(endpoint.ifindex ?? 0)" } ?? "-", endpoint.evidence ?? "-",
                text(endpoint.slot), text(endpoint.identity), text(endpoint.revision),
                side(endpoint.ingressPolicies, isIsolated: endpoint.isIngressIsolated),
                side(endpoint.egressPolicies, isIsolated: endpoint.isEgressIsolated),
            ]
            table.add(cells + (hasFlows ? [flows(endpoint.flows)] : []))
        }
        let rows = table.lines { cell, row, column in
            if row == 0 { return style.faint(cell) }
            guard column == 1 else { return cell }
            switch endpoints[row - 1].state {
            case .ready: return style.good(cell)
            case .waiting, .pending, .isolated, .orphan: return style.notable(cell)
            case .failed, .unenforced: return style.bad(cell)
            }
        }
        let reasons = endpoints.compactMap { endpoint in
            endpoint.reason.map { "\(style.strong(endpoint.name)): \($0)" }
        }
        return rows + (reasons.isEmpty ? [] : [""] + reasons)
    }

    /// `12/1024`, `12/1024, 3 evicted, 1 refused`.
    private func flows(_ share: FlowShare?) -> String {
        guard let share else { return "-" }
        let losses = [(share.evicted, "evicted"), (share.refused, "refused")].filter { $0.0 > 0 }
        return (["\(share.used)/\(share.room)"] + losses.map { "\($0.0) \($0.1)" }).joined(separator: ", ")
    }

    private func text(_ number: UInt32?) -> String { number.map { "\($0)" } ?? "-" }

    /// `open`, `isolated`, `isolated: a, b` (names without kind; the JSON has both).
    private func side(_ policies: [String], isIsolated: Bool) -> String {
        let names = policies.map { $0.split(separator: " ").last.map(String.init) ?? $0 }
        let word = isIsolated ? "isolated" : "open"
        return names.isEmpty ? word : "\(word): \(names.joined(separator: ","))"
    }
}
