/// The four lists of a Cilium rule. They differ in the names of their members and in what they may hold.
enum ElementList: String, CaseIterable {
    case ingress, ingressDeny, egress, egressDeny

    /// Whether the elements speak about traffic to the subject.
    var isIngress: Bool { self == .ingress || self == .ingressDeny }
    /// Whether the elements deny.
    var isDeny: Bool { self == .ingressDeny || self == .egressDeny }
    /// How the names of L3 members begin.
    var prefix: String { isIngress ? "from" : "to" }

    /// The fields of an element.
    var table: FieldTable { ElementList.tables[self] ?? ElementList.makeTable(self) }

    private static let tables = Dictionary(uniqueKeysWithValues: allCases.map { ($0, makeTable($0)) })

    private static func makeTable(_ list: ElementList) -> FieldTable {
        var enforced = ["Endpoints", "Entities", "CIDR", "CIDRSet", "Nodes"].map { list.prefix + $0 }
        enforced += ["toPorts", "icmps", list.prefix + "Requires"]
        var refused: [String: (why: String, instead: String)] = [
            list.prefix + "Groups": (
                "groups of cloud providers are not resolved", "write the addresses in \(list.prefix)CIDRSet"
            ),
            "authentication": (
                "mutual authentication is not enforced",
                "remove the field and protect the traffic by other means, such as TLS in the pods"
            ),
        ]
        if !list.isIngress { enforced.append("toServices") }
        if list == .egress { enforced.append("toFQDNs") }
        if list == .egressDeny { refused["toFQDNs"] = ("names cannot be denied", "write the addresses in toCIDRSet") }
        if list.isDeny { refused["authentication"] = ("a deny element has no authentication", "remove the field") }
        return FieldTable(enforced: enforced, refused: refused)
    }
}
