public import PolicyAPI

/// Decodes one text.
public func decode(_ text: String, file: String = "p.yaml") -> DecodedManifests {
    var decoder = ManifestDecoder()
    decoder.add(Array(text.utf8), file: file)
    return decoder.finish()
}

extension DecodedManifests {
    /// `path: message` of every error.
    public var errors: [String] {
        diagnostics.filter { $0.severity == .error }.map { $0.path.isEmpty ? $0.message : "\($0.path): \($0.message)" }
    }

    /// `path: message` of every warning.
    public var warnings: [String] {
        diagnostics.filter { $0.severity == .warning }.map { "\($0.path): \($0.message)" }
    }
}

/// Text indented by some spaces.
public func indented(_ text: String, by count: Int) -> String {
    text.split(separator: "\n", omittingEmptySubsequences: false)
        .map { $0.isEmpty ? "" : String(repeating: " ", count: count) + $0 }.joined(separator: "\n")
}

/// A NetworkPolicy with this spec.
public func networkPolicy(_ spec: String) -> String {
    "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: p, namespace: shop}\nspec:\n"
        + indented(spec, by: 2) + "\n"
}

/// A CiliumNetworkPolicy (or, clusterwide, a CiliumClusterwideNetworkPolicy) with this spec.
public func ciliumPolicy(_ spec: String, isClusterwide: Bool = false) -> String {
    let head =
        isClusterwide
        ? "kind: CiliumClusterwideNetworkPolicy\nmetadata: {name: p}"
        : "kind: CiliumNetworkPolicy\nmetadata: {name: p, namespace: shop}"
    return "apiVersion: cilium.io/v2\n\(head)\nspec:\n" + indented(spec, by: 2) + "\n"
}

/// A ClusterNetworkPolicy, by default of every pod.
public func clusterPolicy(
    _ name: String, _ tier: Tier, priority: Int = 10, subject: String = "namespaces: {}", _ rules: String
) -> String {
    """
    ---
    apiVersion: policy.networking.k8s.io/v1alpha2
    kind: ClusterNetworkPolicy
    metadata: {name: \(name)}
    spec:
      tier: \(tier == .admin ? "Admin" : "Baseline")
      priority: \(priority)
      subject: {\(subject)}
    \(indented(rules, by: 2))

    """
}

/// A ClusterNetworkPolicy of tier Admin.
public func clusterPolicy(
    _ name: String, priority: Int = 10, subject: String = "namespaces: {}", _ rules: String
) -> String {
    clusterPolicy(name, .admin, priority: priority, subject: subject, rules)
}

/// A ClusterNetworkPolicy `p` of tier Admin with priority 10, of every pod.
public func clusterPolicy(_ rules: String) -> String { clusterPolicy("p", .admin, rules) }
