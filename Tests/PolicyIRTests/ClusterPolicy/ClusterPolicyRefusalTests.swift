import NetpoldTestSupport
import Testing

@testable import PolicyAPI
@testable import PolicyIR

/// "Unknown/empty peer: fail closed: Accept rule matches nothing; Deny and Pass rules become Deny all", for whatever refuses an
/// object.
@Suite("refused cluster-scoped policies")
struct ClusterPolicyRefusalTests {
    private func evaluator(_ manifests: String) -> ReferenceEvaluator {
        let decoded = decode(manifests)
        var objects = Houses().objects
        objects.clusterPolicies = decoded.objects.clusterPolicies
        objects.networkPolicies = decoded.objects.networkPolicies
        return ReferenceEvaluator(
            objects,
            policies: PolicyLowering.lower(objects).policies + PolicyLowering.lowerRefused(decoded.refused))
    }

    private static let mistakes = [
        "[{action: Deny, from: [{}]}]", "[{action: Pass, from: [{}]}]", "[{action: Dny, from: [{namespaces: {}}]}]",
        "[{from: [{namespaces: {}}]}]", "[{action: Deny}]", "[{action: Pass, from: [{pods: {}}]}]",
        "[{action: Deny, from: [{namespaces: {matchlabels: {a: b}}}]}]", "[5]", "deny",
        "[{action: Accept, from: [{}]}, {action: Pass, from: [{namespaces: {}}]}]",
    ]

    @Test("denies everything at its priority in a direction where it may deny", arguments: mistakes)
    func mayDeny(_ rules: String) throws {
        let evaluator = evaluator(
            clusterPolicy("refused", subject: houseSelection("gry"), "ingress: \(rules)")
                + clusterPolicy(
                    "later", priority: 11, subject: houseSelection("gry"),
                    "ingress: [{action: Accept, from: [{namespaces: {}}]}]"))
        #expect(try evaluator.answer("ravenclaw/ravenclaw-0", "gryffindor/gryffindor-0") == "allow/deny=deny")
        #expect(try evaluator.answer("ip:8.8.8.8", "gryffindor/gryffindor-0") == "allow/deny=deny")
        // Not egress, not other subjects, not the probes of the own node.
        #expect(try evaluator.answer("gryffindor/gryffindor-0", "ravenclaw/ravenclaw-0") == "allow/allow=allow")
        #expect(try evaluator.answer("host", "gryffindor/gryffindor-0") == "allow/allow=allow")
    }

    @Test("is nothing where it only accepts: it never isolates, and what is behind it decides")
    func onlyAccepts() throws {
        let bad = "ingress: [{action: Accept, from: [{}]}, {action: Accept, from: [{nodes: {}}]}]"
        #expect(PolicyLowering.lowerRefused(decode(clusterPolicy(bad)).refused).isEmpty)
        let evaluator = evaluator(
            clusterPolicy("refused", bad)
                + clusterPolicy("later", priority: 11, "ingress: [{action: Deny, from: [{namespaces: {}}]}]"))
        #expect(try evaluator.answer("ravenclaw/ravenclaw-0", "gryffindor/gryffindor-0") == "allow/deny=deny")
        #expect(try evaluator.answer("ip:8.8.8.8", "gryffindor/gryffindor-0") == "allow/allow=allow")
    }

    @Test("a stronger policy still decides before it, in its own tier")
    func keepsItsPlace() throws {
        let bad = "ingress: [{action: Deny, from: [{}]}]"
        let stronger = clusterPolicy(
            "first", priority: 9, "ingress: [{action: Accept, from: [{\(houseSelection("rav"))}]}]")
        let admin = evaluator(clusterPolicy("refused", bad) + stronger)
        #expect(try admin.answer("ravenclaw/ravenclaw-0", "gryffindor/gryffindor-0") == "allow/allow=allow")
        #expect(try admin.answer("slytherin/slytherin-0", "gryffindor/gryffindor-0") == "allow/deny=deny")
        // "If any NP isolates the pod in that direction its verdict is final (Baseline never consulted)."
        let baseline = evaluator(
            clusterPolicy("refused", .baseline, bad)
                + "---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n"
                + "metadata: {name: np, namespace: gryffindor}\nspec: {ingress: [{}]}\n")
        #expect(try baseline.answer("slytherin/slytherin-0", "gryffindor/gryffindor-0") == "allow/allow=allow")
        #expect(try baseline.answer("slytherin/slytherin-0", "ravenclaw/ravenclaw-0") == "allow/deny=deny")
    }

    @Test("what cannot be read of tier, priority, subject or members counts as the strongest")
    func unreadable() throws {
        let accept = clusterPolicy("open", priority: 0, "ingress: [{action: Accept, from: [{namespaces: {}}]}]")
        let head = "apiVersion: policy.networking.k8s.io/v1alpha2\nkind: ClusterNetworkPolicy\nmetadata: {name: bad}\n"
        let deny = "ingress: [{action: Deny, from: [{\(houseSelection("sly"))}]}]"
        for spec in [
            "{tier: Admin, subject: {namespaces: {}}, \(deny)}",
            "{tier: Admn, priority: 0, subject: {namespaces: {}}, \(deny)}",
            "{tier: Admin, priority: -1, subject: {namespaces: {}}, \(deny)}", "{tier: Admin, priority: 0, \(deny)}",
            "{tier: Admin, priority: 0, subject: {}, \(deny)}",
            "{tier: Admin, priority: 0, subject: {namespace: {}}, \(deny)}",
            "{tier: Admin, priority: 0, subject: {namespaces: {}}, ingres: []}", "[]",
        ] {
            let evaluator = evaluator("\(head)spec: \(spec)\n\(accept)")
            let answer = try evaluator.answer("ravenclaw/ravenclaw-0", "gryffindor/gryffindor-0")
            #expect(answer.hasSuffix("/deny=deny"), "\(spec): \(answer)")
        }
    }
}
