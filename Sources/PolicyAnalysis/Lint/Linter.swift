public import PolicyAPI
public import PolicyIR

/// Finds valid policies that are probably wrong. Pure: inspects the given objects only.
public enum Linter {
    /// The checks, in the order of the catalogue.
    static var checks: [any LintCheck.Type] {
        [
            SelectsNothingCheck.self, OrInsteadOfAndCheck.self, EgressWithoutDNSCheck.self,
            FQDNWithoutDNSRuleCheck.self, EmptyElementCheck.self, EmptyPeerListCheck.self, DenyIsolatesCheck.self,
            ShadowedByDenyCheck.self, BypassedL7Check.self, HTTPOnTLSPortCheck.self, HTTPNeverMatchesCheck.self,
            ServerNamesNotQUICCheck.self,
            ServicePortCheck.self, UnknownPortNameCheck.self, CIDRCoversClusterCheck.self, APIServerUnknownCheck.self,
            UndeclaredNamespaceCheck.self, DNSPeerCheck.self, NamespaceLabelKeyCheck.self, NamespaceNameLabelCheck.self,
            // Last: it asks what the others have reported.
            RedundantRuleCheck.self,
        ]
    }

    /// Warnings and notes about the policies of manifests. Policies with errors are not checked.
    ///
    /// - Parameters:
    ///   - decoded: the manifests, with their documents for exact locations.
    ///   - lowered: `PolicyLowering.lower(decoded.objects, for: .enforcement)`.
    /// - Returns: the diagnostics, in the order of the checks.
    public static func lint(_ decoded: DecodedManifests, lowered: LoweredPolicies) -> [Diagnostic] {
        let cluster = LintCluster(
            decoded.objects, policies: lowered.policies, estimated: decoded.syntheticNamespaces)
        var report = LintReport(documents: decoded.documents)
        for check in checks { check.run(cluster, &report) }
        AllowWithoutIsolation.run(cluster, &report)
        return report.diagnostics
    }
}

/// A check for one kind of mistake in valid policies, with its entry in the catalogue of diagnostics.
protocol LintCheck {
    /// Its entry in the catalogue.
    static var entry: DiagnosticEntry { get }
    /// Reports each mistake.
    static func run(_ cluster: LintCluster, _ report: inout LintReport)
}
