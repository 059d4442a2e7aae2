import Agent

/// What `netpold test` was told beside the tests.
struct TestChoice {
    /// Kustomizations in place of the manifests that tests name, patterns to pass over, the namespace of objects without one.
    var manifests: ManifestChoice
    /// The node that `host` means, in place of what tests say.
    var node: String?
    /// Which diagnostics count.
    var options: DiagnosticOptions
}
