import Agent
import ArgumentParser
import BPFEmit
import Support

/// `netpold endpoints`.
struct EndpointsCommand: ListCommand {
    static let configuration = CommandConfiguration(
        commandName: "endpoints",
        abstract: "List the pods of this node with their interfaces, identities and policies.",
        usage: "netpold endpoints [<options>]",
        discussion: """
            States: ready (policies in place), orphan (the same, with the labels and addresses that its Pod object had last), \
            pending (found, not programmed yet), waiting (no interface of it was found yet), failed, unenforced (a pod \
            without an interface that can be enforced, or an interface that nobody knows the pod of), isolated (such an \
            interface that only the node reaches). Below the table: why a row is not simply ready.

            -o wide adds the interface, what says whose it is, and the pod's part of the flow table. "bound by" is, best first: \
            cniRecord, cniCache (the runtime's notes name the pod), podCgroup (the cgroup of the processes inside), cniAddress, \
            pinnedEndpoint (an earlier agent), hostRoute, insideAddress (only the namespace itself).

            \(exitCodes)
            """)

    @OptionGroup var list: ListOptions

    static let nothing = "no endpoints: no pod of the manifests is on this node"
    static func name(of row: EndpointReport) -> String { row.name }

    static var columns: [RowColumn<EndpointReport>] {
        [
            RowColumn("pod") { $0.name },
            RowColumn("state", mood: { mood($0.state) }) { $0.state.rawValue },
            RowColumn("addresses", narrow: .below) { $0.addresses.joined(separator: ",") },
            RowColumn("interface", isWide: true) { row in
                row.interface.map { "\($0)#\(row.ifindex ?? 0)" } ?? "-"
            },
            RowColumn("bound by", isWide: true) { $0.evidence ?? "-" },
            RowColumn("slot", .right, isWide: true) { text($0.slot) },
            RowColumn("identity", .right, isWide: true) { text($0.identity) },
            RowColumn("rev", .right, isWide: true) { text($0.revision) },
            RowColumn("ingress", narrow: .below) { side($0.ingressPolicies, isIsolated: $0.isIngressIsolated) },
            RowColumn("egress", narrow: .below) { side($0.egressPolicies, isIsolated: $0.isEgressIsolated) },
            RowColumn("flows", isWide: true) { flows($0.flows) },
        ]
    }

    static func remarks(_ rows: [EndpointReport], style: TextStyle, width: Int?) -> [String] {
        rows.compactMap { row in row.reason.map { "\(style.strong(row.name)): \($0)" } }
    }

    private static func mood(_ state: EndpointReport.State) -> RowColumn<EndpointReport>.Mood {
        switch state {
        case .ready: .good
        case .waiting, .pending, .isolated, .orphan: .notable
        case .failed, .unenforced: .bad
        }
    }

    /// `12/1024`, `12/1024, 3 evicted, 1 refused`.
    private static func flows(_ share: FlowShare?) -> String {
        guard let share else { return "-" }
        let losses = [(share.evicted, "evicted"), (share.refused, "refused")].filter { $0.0 > 0 }
        return (["\(share.used)/\(share.room)"] + losses.map { "\($0.0) \($0.1)" }).joined(separator: ", ")
    }

    private static func text(_ number: UInt32?) -> String { number.map { "\($0)" } ?? "-" }

    /// `open`, `isolated`, `isolated: a, b` (names without kind; the JSON has both).
    private static func side(_ policies: [String], isIsolated: Bool) -> String {
        let names = policies.map { $0.split(separator: " ").last.map(String.init) ?? $0 }
        let word = isIsolated ? "isolated" : "open"
        return names.isEmpty ? word : "\(word): \(names.joined(separator: ","))"
    }
}
