public import PolicyAPI

/// One condition of a rule or of a subject selector that a flow does not meet, as facts and in words.
public struct FailedCondition: Hashable, Sendable {
    /// What kind of condition it is. The raw values are part of `netpold explain --json` (docs/reference/explain-json.md).
    public enum Kind: String, Hashable, Sendable, CaseIterable {
        /// The destination port is none of the ports.
        case port
        /// The destination pod has no port of this name.
        case portName = "port-name"
        /// The transport protocol is another.
        case `protocol`
        /// The ICMP type is none of the types.
        case icmpType = "icmp-type"
        /// A label of a pod.
        case label
        /// A label that the pod has, but that is no part of its Cilium identity.
        case identityLabel = "identity-label"
        /// A label of a namespace.
        case namespaceLabel = "namespace-label"
        /// A label of a node.
        case nodeLabel = "node-label"
        /// The namespace's name.
        case namespace
        /// The pod's service account.
        case serviceAccount = "service-account"
        /// The end is not what a reserved label or an entity stands for.
        case entity
        /// The address is in none of the prefixes.
        case address
        /// The address is in an exception of a prefix.
        case exception
        /// No DNS answer gave the address for such a name.
        case dnsName = "dns-name"
        /// The rule is about what is outside the cluster, and the end is inside.
        case insideCluster = "inside-cluster"
        /// The rule is about pods, and the end is none.
        case notPod = "not-pod"
        /// The rule is about nodes, and the end is none.
        case notNode = "not-node"
        /// Nobody knows the end's address.
        case addressUnknown = "address-unknown"
        /// Several objects claim the address, so it is nobody's.
        case contested
        /// The method of an HTTP request.
        case method
        /// The path of an HTTP request, with its query string.
        case path
        /// The host of an HTTP request.
        case host
        /// A header of an HTTP request.
        case header
        /// The value of a header stands in a secret, and secrets are not read.
        case secret
        /// The name of a DNS query.
        case queryName = "query-name"
        /// The server name of a TLS connection.
        case serverName = "server-name"
        /// The rule is about another kind of request.
        case requestKind = "request-kind"
        /// No flow meets the condition.
        case unsatisfiable
    }

    /// What kind of condition it is.
    public var kind: Kind
    /// Whom the condition is about: `pod shop/web`, `namespace shop`, `10.0.0.7`; `nil` for a condition about the packet.
    public var of: String?
    /// The label key of a condition about a label, or the name of a header, as written.
    public var key: String?
    /// The operator of a condition about a label.
    public var `operator`: LabelRequirement.Operator?
    /// What is asked for: label values, ports, prefixes, names, entities.
    public var wanted: [String]
    /// What is there instead; `nil` when there is nothing.
    public var has: String?
    /// The whole in words, without final dot: `port 8080 is not in 80, 443`.
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
    /// How far a flow is from meeting the condition, to rank rules with as many failed conditions: a port or label is soon
    /// changed, a pod never becomes an address outside.
    var distance: Int {
        switch kind {
        case .method, .path, .host, .header, .queryName, .serverName: 0
        case .secret: 1
        case .requestKind: 3
        case .port, .portName, .icmpType, .label, .namespaceLabel, .nodeLabel, .serviceAccount, .exception: 0
        // Who asks for TCP has not nearly met a rule for pings.
        case .protocol: has.map { $0.hasPrefix("ICMP") } == wanted.first?.hasPrefix("ICMP") ? 0 : 3
        case .dnsName: has == nil ? 1 : 0
        case .namespace, .address, .identityLabel, .insideCluster: 1
        case .entity, .notPod, .notNode, .addressUnknown, .contested: 2
        case .unsatisfiable: 100
        }
    }
}

extension [FailedCondition] {
    /// How far a flow is from meeting them all: their number counts, then their distances.
    func isNearer(than other: [FailedCondition]) -> Bool {
        (count, distance) < (other.count, other.distance)
    }

    /// The sum of their distances.
    var distance: Int { reduce(0) { $0 + $1.distance } }
}

/// `80, 443`, each once, cut short after eight; `last` stands before the last of those that are all shown.
func listInWords(_ texts: [String], last: String = ", ") -> String {
    var seen: Set<String> = []
    let unique = texts.filter { seen.insert($0).inserted }
    if unique.count > 8 { return "\(unique.prefix(8).joined(separator: ", ")) and \(unique.count - 8) more" }
    return [unique.dropLast().joined(separator: ", "), unique.last ?? ""].filter { !$0.isEmpty }.joined(separator: last)
}
