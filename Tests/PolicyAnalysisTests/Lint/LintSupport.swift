import NetpoldTestSupport

@testable import PolicyAPI
@testable import PolicyAnalysis
@testable import PolicyIR

/// All diagnostics of `netpold lint` about a text, in order.
func lint(_ text: String) -> [Diagnostic] {
    var decoder = ManifestDecoder(keepsDocuments: true)
    decoder.add(Array(text.utf8), file: "p.yaml")
    let decoded = decoder.finish()
    let lowered = PolicyLowering.lower(decoded.objects, for: .enforcement)
    return (decoded.diagnostics + lowered.diagnostics + Linter.lint(decoded, lowered: lowered)).sortedOnce
}

/// `line:column path: message; hint` of the diagnostics of one kind.
func lint(_ text: String, _ id: DiagnosticID) -> [String] {
    lint(text).filter { $0.id == id }.map {
        "\($0.location?.line ?? 0):\($0.location?.column ?? 0) \($0.path): \($0.message); \($0.hint)"
    }
}

/// A pod with these labels and, by name, container ports.
func pod(_ name: String, _ labels: String, namespace: String = "shop", ports: String = "", spec: String = "") -> String
{
    """
    apiVersion: v1
    kind: Pod
    metadata: {name: \(name), namespace: \(namespace), labels: {\(labels)}}
    spec: {containers: [{name: c, ports: [\(ports)]}]\(spec)}
    ---

    """
}

/// A namespace with these labels.
func namespace(_ name: String, _ labels: String = "") -> String {
    "apiVersion: v1\nkind: Namespace\nmetadata: {name: \(name), labels: {\(labels)}}\n---\n"
}
