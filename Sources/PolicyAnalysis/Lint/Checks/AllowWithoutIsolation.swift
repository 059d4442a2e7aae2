import NetTypes
import PolicyIR

/// Allow rules where nothing is denied. Reported as `no-effect`.
enum AllowWithoutIsolation {
    /// Reports each direction of a Cilium rule that allows without isolating, where no other policy isolates the pods either.
    static func run(_ cluster: LintCluster, _ report: inout LintReport) {
        for policy in cluster.objects.ciliumPolicies where !policy.isClusterwide {
            for rule in policy.rules {
                let origin = PolicyLowering.origin(of: rule, in: policy)
                guard let number = cluster.numbers[origin], !cluster.subjects[number].isEmpty else { continue }
                for direction in Direction.allCases {
                    guard let said = cluster.policies[number][direction], !said.isolates, !said.rules.isEmpty,
                        // L7 rules without isolation make traffic visible; deny rules work without isolation.
                        said.rules.allSatisfy({ $0.action == .allow && $0.l7 == nil }),
                        !cluster.subjects[number].contains(where: { podClass in
                            (cluster.applying[podClass] ?? []).contains {
                                cluster.policies[$0][direction].map(matters(beside:)) == true
                            }
                        })
                    else { continue }
                    let name = direction == .ingress ? "ingress" : "egress"
                    report.warn(
                        .noEffect, "\(rule.path).\(name)", of: origin,
                        "no policy isolates these pods for \(name), so these allow rules have no effect",
                        "remove enableDefaultDeny, or add a policy that isolates the pods")
                }
            }
        }
    }

    /// Whether an allow rule of the normal tier can make a difference beside these: isolation denies what it does not allow, and a Baseline
    /// rule is not asked about what it allows.
    private static func matters(beside said: DirectionRules) -> Bool {
        said.isolates || said.rules.contains { $0.tier == .baseline && $0.action == .deny }
    }
}
