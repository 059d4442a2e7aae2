package import PolicyAPI

/// Makes the scope of a Cilium selector explicit: adds the namespace and cluster requirements that Cilium adds
/// (docs/spec/cilium-network-policy.md 4.4).
package struct CiliumScope {
    /// The policy's namespace; `nil` for a clusterwide policy.
    package let namespace: String?
    /// Whether the rule's subject mentions `reserved:init`.
    package let subjectMentionsInit: Bool

    /// The scope of a policy whose rules are not known; `nil` for a clusterwide one.
    package init(namespace: String?) {
        self.namespace = namespace
        subjectMentionsInit = false
    }

    /// The scope of one rule of a policy.
    package init(_ policy: CiliumPolicy, _ rule: CiliumRule) {
        // "A CNP with an empty namespace is parsed as a CCNP."
        namespace = policy.isClusterwide || policy.metadata.namespace.isEmpty ? nil : policy.metadata.namespace
        guard case .endpoints(let selector) = rule.subject else {
            subjectMentionsInit = false
            return
        }
        subjectMentionsInit = selector.requirements.contains { $0.source == "reserved" && $0.key == "init" }
    }

    /// The subject selector with the policy's namespace.
    package func subject(_ selector: LabelSelector) -> LabelSelector {
        // "CCNP subject: untouched".
        guard let namespace else { return selector }
        // "A user matchLabel with exactly that key is overwritten": decoding has dropped it. "A bare key or a matchExpression
        // is kept and ANDed."
        return LabelSelector(
            [CiliumScope.inNamespace(namespace)] + selector.requirements, location: selector.location)
    }

    /// A peer selector with the policy's namespace and the local cluster.
    package func peer(_ selector: LabelSelector) -> LabelSelector {
        // "any key with source reserved: verbatim, no namespace and no cluster requirement".
        if selector.mentionsReserved { return selector }
        var requirements = selector.requirements
        if !requirements.contains(where: { $0.isAbout(CiliumKey.namespace) }) {
            if let namespace {
                // "unless a namespace-labels key is mentioned: then no namespace restriction".
                let mentionsLabels = requirements.contains {
                    ($0.source == "k8s" || $0.source == "any") && $0.key.hasPrefix(CiliumKey.namespaceLabelPrefix)
                }
                if !mentionsLabels { requirements.insert(CiliumScope.inNamespace(namespace), at: 0) }
            } else if !subjectMentionsInit {
                requirements.insert(
                    LabelRequirement(source: "k8s", key: CiliumKey.namespace, operator: .exists), at: 0)
            }
        }
        // "if no cluster key: add the local cluster".
        if !requirements.contains(where: { $0.isAbout(CiliumKey.cluster) }) {
            requirements.append(CiliumScope.inLocalCluster)
        }
        return LabelSelector(requirements, location: selector.location)
    }

    /// A selector of `fromNodes` or `toNodes`: "user keys AND `reserved:remote-node` Exists AND local cluster. Never matches
    /// the local host."
    package func nodes(_ selector: LabelSelector) -> LabelSelector {
        var requirements = selector.requirements
        requirements.append(
            LabelRequirement(source: "reserved", key: ReservedIdentity.remoteNode.labelKey, operator: .exists))
        if !requirements.contains(where: { $0.isAbout(CiliumKey.cluster) }) {
            requirements.append(CiliumScope.inLocalCluster)
        }
        return LabelSelector(requirements, location: selector.location)
    }

    private static let inLocalCluster = LabelRequirement(
        source: "k8s", key: CiliumKey.cluster, operator: .isIn, values: [CiliumKey.localCluster])

    private static func inNamespace(_ name: String) -> LabelRequirement {
        LabelRequirement(source: "k8s", key: CiliumKey.namespace, operator: .isIn, values: [name])
    }
}
