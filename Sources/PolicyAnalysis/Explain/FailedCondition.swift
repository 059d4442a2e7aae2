import Algorithms
public import PolicyAPI

/// One condition of a rule or of a subject selector that a flow does not meet, as data and as text.
public struct FailedCondition: Hashable, Sendable {
    /// The kind of condition. The raw values are part of `netpold explain --json` (docs/reference/explain-json.md).
    public enum Kind: String, Hashable, Sendable, CaseIterable {
        /// The destination port is not one of the ports.
        case port
        /// The destination pod has no port of this name.
        case portName = "port-name"
        /// The transport protocol differs.
        case `protocol`
        /// The ICMP type is not one of the types.
        case icmpType = "icmp-type"
        /// A label of a pod.
        case label
        /// A label that is not part of the pod's Cilium identity.
        case identityLabel = "identity-label"
        /// A label of a namespace.
        case namespaceLabel = "namespace-label"
        /// A label of a node.
        case nodeLabel = "node-label"
        /// The namespace's name.
        case namespace
        /// The pod's service account.
        case serviceAccount = "service-account"
        /// The end does not match a reserved label or an entity.
        case entity
        /// The address is not in any of the prefixes.
        case address
        /// The address is in an exception of a prefix.
        case exception
        /// No DNS answer for such a name contained the address.
        case dnsName = "dns-name"
        /// The rule matches only addresses outside the cluster, and the end is inside.
        case insideCluster = "inside-cluster"
        /// The rule selects pods, and the end is not a pod.
        case notPod = "not-pod"
        /// The rule selects nodes, and the end is not a node.
        case notNode = "not-node"
        /// The address of the end is unknown.
        case addressUnknown = "address-unknown"
        /// Several objects claim the address, so it belongs to none.
        case contested
        /// The method of an HTTP request.
        case method
        /// The path of an HTTP request, with its query string.
        case path
        /// The host of an HTTP request.
        case host
        /// A header of an HTTP request.
        case header
        /// The value of a header is in a secret, and secrets are not read.
        case secret
        /// The name of a DNS query.
        case queryName = "query-name"
        /// The server name of a TLS connection.
        case serverName = "server-name"
        /// The rule matches another kind of request.
        case requestKind = "request-kind"
        /// No flow meets the condition.
        case unsatisfiable
    }

    /// The kind of condition.
    public var kind: Kind
    /// What the condition applies to: `pod shop/web`, `namespace shop`, `10.0.0.7`; `nil` for the packet itself.
    public var of: String?
    /// The key of a label, or the name of a header, as written.
    public var key: String?
    /// The operator of a label condition.
    public var `operator`: LabelRequirement.Operator?
    /// What is required: label values, ports, prefixes, names, entities.
    public var wanted: [String]
    /// The actual value; `nil` when there is none.
    public var has: String?
    /// The condition as text, without a final period: `port 8080 is not in 80, 443`.
    public var text: String

    /// A condition.
    public init(
        _ kind: Kind, of: String? = nil, key: String? = nil, operator: LabelRequirement.Operator? = nil,
        wanted: [String] = [], has: String? = nil, text: String
    ) {
        self.kind = kind
        self.of = of
        self.key = key
        self.operator = `operator`
        self.wanted = wanted
        self.has = has
        self.text = text
    }
}

extension FailedCondition {
    /// How far a flow is from meeting the condition, to rank rules with equally many failed conditions: a port or label is
    /// easily changed, a pod never becomes an external address.
    var distance: Int {
        switch kind {
        case .method, .path, .host, .header, .queryName, .serverName: 0
        case .secret: 1
        case .requestKind: 3
        case .port, .portName, .icmpType, .label, .namespaceLabel, .nodeLabel, .serviceAccount, .exception: 0
        // A TCP flow is far from an ICMP rule.
        case .protocol: has.map { $0.hasPrefix("ICMP") } == wanted.first?.hasPrefix("ICMP") ? 0 : 3
        case .dnsName: has == nil ? 1 : 0
        case .namespace, .address, .identityLabel, .insideCluster: 1
        case .entity, .notPod, .notNode, .addressUnknown, .contested: 2
        case .unsatisfiable: 100
        }
    }
}

extension [FailedCondition] {
    /// Whether a flow is nearer to meeting these than others: fewer conditions, then smaller distances.
    func isNearer(than other: [FailedCondition]) -> Bool {
        (count, distance) < (other.count, other.distance)
    }

    /// The sum of their distances.
    var distance: Int { reduce(0) { $0 + $1.distance } }
}

/// `80, 443`, each once, truncated after eight; `last` separates the last one if all are shown.
func joinedList(_ texts: [String], last: String = ", ") -> String {
    let unique = Array(texts.uniqued())
    if unique.count > 8 { return "\(unique.prefix(8).joined(separator: ", ")) and \(unique.count - 8) more" }
    return [unique.dropLast().joined(separator: ", "), unique.last ?? ""].filter { !$0.isEmpty }.joined(separator: last)
}
