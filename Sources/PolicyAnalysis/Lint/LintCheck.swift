/// One kind of mistake in policies that are legal: finds each, and explains itself in the catalogue of findings.
protocol LintCheck {
    /// What the catalogue says about it.
    static var entry: DiagnosticEntry { get }
    /// Reports each mistake.
    static func run(_ cluster: LintCluster, _ report: inout LintReport)
}
