/// A row of a table of the specifications, which are not part of the repository: the table and the row's number or title.
struct SpecRow: Hashable, Sendable, CustomStringConvertible {
    /// The table.
    let table: SpecTable
    /// The row's number (of numbered tables) or title.
    let title: String

    /// A row of the edge-case table of docs/spec/cilium-network-policy.md.
    static func edge(_ number: Int) -> SpecRow { SpecRow(table: .ciliumEdgeCases, title: "\(number)") }
    /// A statement of another section of docs/spec/cilium-network-policy.md, which is no table of edge cases.
    static func section(_ title: String) -> SpecRow { SpecRow(table: .ciliumSections, title: title) }
    /// A rule of the decision function of docs/spec/network-policy.md.
    static func decision(_ title: String) -> SpecRow { SpecRow(table: .decisionFunction, title: title) }
    /// A field of docs/spec/network-policy.md 1.2.
    static func field(_ title: String) -> SpecRow { SpecRow(table: .fields, title: title) }
    /// An input that docs/spec/network-policy.md 1.3 refuses.
    static func invalid(_ title: String) -> SpecRow { SpecRow(table: .validation, title: title) }
    /// A topic of docs/spec/network-policy.md 1.4.
    static func grey(_ title: String) -> SpecRow { SpecRow(table: .greyAreas, title: title) }
    /// An item of docs/spec/network-policy.md 2.1.
    static func clusterPolicy(_ title: String) -> SpecRow { SpecRow(table: .clusterPolicy, title: title) }
    /// A statement of docs/spec/network-policy.md 2.2.
    static func adminPolicy(_ title: String) -> SpecRow { SpecRow(table: .adminPolicy, title: title) }

    var description: String {
        table == .ciliumEdgeCases ? "\(table.rawValue) row \(title)" : "\(table.rawValue) \"\(title)\""
    }
}

/// The tables whose rows are tests, with every row they have.
enum SpecTable: String, CaseIterable, Sendable {
    case ciliumEdgeCases = "cilium 19"
    case decisionFunction = "network-policy 1.1"
    case fields = "network-policy 1.2"
    case validation = "network-policy 1.3"
    case greyAreas = "network-policy 1.4"
    case clusterPolicy = "network-policy 2.1"
    case adminPolicy = "network-policy 2.2"
    /// Statements elsewhere in docs/spec/cilium-network-policy.md from which netpold differs; not complete.
    case ciliumSections = "cilium"

    /// Every row, in the order of the table.
    var rows: [SpecRow] {
        titles.map { SpecRow(table: self, title: $0) }
    }

    private var titles: [String] {
        switch self {
        case .ciliumEdgeCases: (1...138).map(String.init)
        case .ciliumSections: []
        case .decisionFunction:
            [
                "both ends decide independently", "subject is not a pod-network pod", "no policy selects it",
                "union over policies, OR over rules, AND of ports and peers", "exceptions that always win",
                "no deny, no order, no priority",
            ]
        case .fields:
            [
                "metadata.namespace", "spec absent", "spec.podSelector", "policyTypes missing or []",
                "policyTypes [Ingress] with egress", "policyTypes [Ingress, Ingress]", "ingress missing or []",
                "rule {}",
                "from missing or []", "from: [{}]", "ports missing or []", "ports: [{}]", "ports[].protocol",
                "ports[].port int", "ports[].port string", "ports[].endPort", "peer podSelector only",
                "peer namespaceSelector only", "both in one list item", "selector {} or nil",
                "matchExpressions NotIn, DoesNotExist", "ipBlock.cidr, except", "label kubernetes.io/metadata.name",
                "status",
            ]
        case .validation:
            [
                "protocol", "port number", "endPort below port", "endPort with named port", "endPort without port",
                "bad port name", "peer with nothing", "ipBlock and selector", "cidr empty or unparsable",
                "except outside or not longer", "policyTypes", "label selector",
            ]
        case .greyAreas:
            [
                "Reply packets", "Related ICMP", "ICMP echo", "ARP, non-IP, other L4 protocols", "IP fragments",
                "IPv4 options, extension headers", "Pod to itself by pod IP", "Pod to service VIP to itself",
                "Node to local pod, pod to own node", "Remote node to pod", "hostNetwork pods", "Service VIP",
                "NodePort, LB source IP", "ipBlock and pod IPs", "Existing connections on change", "New pod",
                "New policy on running pod", "Terminating pod", "Succeeded, Failed pods", "Pod IP reuse, same-name pod",
                "Native sidecars", "Dual stack", "SCTP", "UDP connection",
                "Several container ports of one number, two protocols", "Namespace deletion, relabel, pod relabel",
                "Egress to DNS",
            ]
        case .clusterPolicy:
            [
                "Scope", "tier", "priority", "Rule order", "Isolation", "subject", "ingress[], egress[]", "Accept",
                "Deny",
                "Pass", "no match", "NetworkPolicy tier", "Ingress peers", "Egress peers", "Unknown or empty peer",
                "protocols[]", "Trap: omitted destinationPort", "CEL", "domainNames", "Hairpin", "Status", "Features",
                "Open",
            ]
        case .adminPolicy:
            ["AdminNetworkPolicy", "ports[]", "sameLabels, notSameLabels", "BaselineAdminNetworkPolicy", "Mapping"]
        }
    }
}
