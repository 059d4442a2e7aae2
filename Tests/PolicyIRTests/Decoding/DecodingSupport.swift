@testable import PolicyAPI

/// Decodes one text.
func decode(_ text: String, file: String = "p.yaml") -> DecodedManifests {
    var decoder = ManifestDecoder()
    decoder.add(Array(text.utf8), file: file)
    return decoder.finish()
}

extension DecodedManifests {
    /// `path: message` of every error.
    var errors: [String] {
        diagnostics.filter { $0.severity == .error }.map { $0.path.isEmpty ? $0.message : "\($0.path): \($0.message)" }
    }

    /// `path: message` of every warning.
    var warnings: [String] {
        diagnostics.filter { $0.severity == .warning }.map { "\($0.path): \($0.message)" }
    }
}

/// Text moved to the right.
func indented(_ text: String, by count: Int) -> String {
    text.split(separator: "\n", omittingEmptySubsequences: false)
        .map { $0.isEmpty ? "" : String(repeating: " ", count: count) + $0 }.joined(separator: "\n")
}

/// A NetworkPolicy with this spec.
func networkPolicy(_ spec: String) -> String {
    "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: p, namespace: shop}\nspec:\n"
        + indented(spec, by: 2) + "\n"
}

/// A CiliumNetworkPolicy (or, clusterwide, a CiliumClusterwideNetworkPolicy) with this spec.
func ciliumPolicy(_ spec: String, isClusterwide: Bool = false) -> String {
    let head =
        isClusterwide
        ? "kind: CiliumClusterwideNetworkPolicy\nmetadata: {name: p}"
        : "kind: CiliumNetworkPolicy\nmetadata: {name: p, namespace: shop}"
    return "apiVersion: cilium.io/v2\n\(head)\nspec:\n" + indented(spec, by: 2) + "\n"
}
