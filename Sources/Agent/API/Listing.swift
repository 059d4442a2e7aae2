/// What can be listed: each is a list of rows of one type, and a command of the same name shows it.
public enum Listing: String, Hashable, Codable, Sendable, CaseIterable {
    /// The pods of the node.
    case endpoints = "endpoints"
    /// What pods have learnt of names.
    case names = "names"
    /// The policies of the sources.
    case policies = "policies"
    /// What may decide at each pod, and how often it did.
    case rules = "rules"
    /// What the numbers of remote ends stand for.
    case identities = "identities"
    /// Where pods reach Services.
    case services = "services"
    /// The flows that are remembered.
    case conntrack = "conntrack"
    /// The tables of the kernel.
    case maps = "maps"

    /// Whether its rows are of namespaces.
    public var hasNamespaces: Bool {
        switch self {
        case .endpoints, .names, .policies, .rules, .services, .conntrack: true
        case .identities, .maps: false
        }
    }

    /// The namespace of `namespace/name`; `nil` for what is named otherwise: the node itself (`host`), an interface without a pod.
    public static func namespace(of name: String) -> String? {
        let parts = name.split(separator: "/", omittingEmptySubsequences: false)
        return parts.count == 2 && !parts[0].isEmpty ? String(parts[0]) : nil
    }
}
