/// The four lists of a Cilium rule. They differ in the names of their fields and in the fields they allow.
enum ElementList: String, CaseIterable {
    case ingress, ingressDeny, egress, egressDeny

    /// Whether the elements match traffic to the subject.
    var isIngress: Bool { self == .ingress || self == .ingressDeny }
    /// Whether the elements deny.
    var isDeny: Bool { self == .ingressDeny || self == .egressDeny }
    /// The prefix of the names of L3 fields.
    var prefix: String { isIngress ? "from" : "to" }

    /// The path of the elements.
    var path: String { "spec.\(rawValue)[]" }

    /// The fields of an element.
    var table: FieldTable {
        switch self {
        case .ingress: ElementList.ingressTable
        case .ingressDeny: ElementList.ingressDenyTable
        case .egress: ElementList.egressTable
        case .egressDeny: ElementList.egressDenyTable
        }
    }

    private static let ingressTable = FieldTable(
        ingress.path,
        rows: [
            .enforced(
                "fromEndpoints", "fromEntities", "fromCIDR", "fromCIDRSet", "fromNodes", "toPorts", "icmps"),
            groups("fromGroups", "fromCIDRSet"), requires("fromRequires"), authentication,
        ])
    private static let ingressDenyTable = FieldTable(
        ingressDeny.path,
        rows: [
            .enforced(
                "fromEndpoints", "fromEntities", "fromCIDR", "fromCIDRSet", "fromNodes", "toPorts", "icmps"),
            groups("fromGroups", "fromCIDRSet"), requires("fromRequires"), noAuthentication,
        ])
    private static let egressTable = FieldTable(
        egress.path,
        rows: [
            .enforced(
                "toEndpoints", "toEntities", "toCIDR", "toCIDRSet", "toNodes", "toServices", "toFQDNs", "toPorts",
                "icmps"),
            groups("toGroups", "toCIDRSet"), requires("toRequires"), authentication,
        ])
    private static let egressDenyTable = FieldTable(
        egressDeny.path,
        rows: [
            .enforced(
                "toEndpoints", "toEntities", "toCIDR", "toCIDRSet", "toNodes", "toServices", "toPorts", "icmps"),
            groups("toGroups", "toCIDRSet"), requires("toRequires"), noAuthentication,
            .refused("toFQDNs", why: "names cannot be denied", instead: "write the addresses in toCIDRSet"),
        ])

    private static func groups(_ name: String, _ addresses: String) -> FieldTable.Row {
        .refused(
            name, why: "cloud provider groups are not resolved", instead: "write the addresses in \(addresses)")
    }

    /// Removed from Cilium; its schema still accepts the empty list, which requires nothing.
    private static func requires(_ name: String) -> FieldTable.Row {
        .refused(
            name, why: "requirements on peers were removed from Cilium",
            instead: "add the labels to every selector of the element", unless: .emptyList)
    }

    /// "`disabled` = explicitly none" (docs/spec/cilium-network-policy.md 9.5).
    private static let authentication = FieldTable.Row.refused(
        "authentication", why: "mutual authentication is not enforced",
        instead: "remove the field and protect the traffic in another way, such as TLS in the pods",
        unless: FieldTable.Exception(value: "{mode: disabled}") {
            $0.members?.count == 1 && $0["mode"]?.string == "disabled"
        })
    private static let noAuthentication = FieldTable.Row.refused(
        "authentication", why: "a deny element has no authentication", instead: "remove the field")
}
