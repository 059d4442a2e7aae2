public import NetTypes

/// A cluster-scoped policy of policy.networking.k8s.io (docs/spec/network-policy.md 2): ClusterNetworkPolicy, or one of the older
/// kinds, which map to it ("Allow -> Accept, ANP -> tier Admin, BANP -> tier Baseline, ports -> protocols").
public struct ClusterPolicy: Hashable, Sendable {
    /// The kinds. The raw value is the kind's name.
    public enum Kind: String, Hashable, CaseIterable, Sendable {
        /// v1alpha2: tier Admin or Baseline.
        case clusterNetworkPolicy = "ClusterNetworkPolicy"
        /// v1alpha1: tier Admin.
        case adminNetworkPolicy = "AdminNetworkPolicy"
        /// v1alpha1: tier Baseline, one object named `default`.
        case baselineAdminNetworkPolicy = "BaselineAdminNetworkPolicy"
    }

    /// The priority of the BaselineAdminNetworkPolicy, which has none of its own: after every ClusterNetworkPolicy of its
    /// tier (0 to 1000).
    public static let baselinePriority: UInt32 = 1001

    /// Name; no namespace.
    public var metadata: ObjectMeta
    /// The kind of the manifest.
    public var kind: Kind
    /// `.admin` or `.baseline`.
    public var tier: Tier
    /// "Lower number first, per tier."
    public var priority: UInt32
    /// `spec.subject`: "hostNetwork pods never selected".
    public var subject: PodSelection
    /// `spec.ingress`: "list order inside object = precedence".
    public var ingress: [ClusterPolicyRule]
    /// `spec.egress`, in order of precedence.
    public var egress: [ClusterPolicyRule]

    /// A policy.
    public init(
        metadata: ObjectMeta, kind: Kind = .clusterNetworkPolicy, tier: Tier, priority: UInt32,
        subject: PodSelection = PodSelection(), ingress: [ClusterPolicyRule] = [], egress: [ClusterPolicyRule] = []
    ) {
        self.metadata = metadata
        self.kind = kind
        self.tier = tier
        self.priority = priority
        self.subject = subject
        self.ingress = ingress
        self.egress = egress
    }

    /// The object as an origin.
    public var origin: RuleOrigin {
        RuleOrigin(
            kind: kind.rawValue, namespace: "", name: metadata.name, path: "", location: metadata.location)
    }
}

/// Pods by the labels of their namespace and their own; `{}` selects all. Both `namespaces` and `pods` of the API are this.
public struct PodSelection: Hashable, Sendable {
    /// Of namespace labels.
    public var namespaces: LabelSelector
    /// Of pod labels.
    public var pods: LabelSelector

    /// A selection; without selectors, every pod.
    public init(namespaces: LabelSelector = LabelSelector(), pods: LabelSelector = LabelSelector()) {
        self.namespaces = namespaces
        self.pods = pods
    }
}

/// One element of `ingress` or `egress`.
public struct ClusterPolicyRule: Hashable, Sendable {
    /// The optional name of the rule; empty for none.
    public var name: String
    /// What it does.
    public var action: RuleAction
    /// `from` / `to`: at least one.
    public var peers: [ClusterPolicyPeer]
    /// `protocols` / `ports`; `nil` when absent: every protocol and port.
    public var ports: [ClusterPolicyPort]?
    /// Path in the object, for example `spec.ingress[0]`.
    public var path: String
    /// Where the element is written.
    public var location: SourceLocation?

    /// A rule.
    public init(
        name: String = "", action: RuleAction, peers: [ClusterPolicyPeer], ports: [ClusterPolicyPort]? = nil,
        path: String, location: SourceLocation? = nil
    ) {
        self.name = name
        self.action = action
        self.peers = peers
        self.ports = ports
        self.path = path
        self.location = location
    }
}

/// One element of `from` or `to`. An ingress rule has pods only.
public enum ClusterPolicyPeer: Hashable, Sendable {
    /// `namespaces` or `pods`: "hostNetwork pods are not included".
    case pods(PodSelection)
    /// "Label selector over nodes; empty = all"; the peers are their addresses.
    case nodes(LabelSelector)
    /// "Matches in-cluster pod IPs and ICMP too."
    case networks([IPPrefix])
    /// `domainNames`, in Accept rules only.
    case names([FQDNSelector])
}

/// One element of `protocols` or `ports`.
public enum ClusterPolicyPort: Hashable, Sendable {
    /// Destination ports of a protocol.
    case range(L4Protocol, PortRange)
    /// A container port's name: "names resolved on destination pod (any protocol)".
    case named(String)
}
