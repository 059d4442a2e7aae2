import NetpoldTestSupport
import Testing

@testable import PolicyAPI
@testable import PolicyIR

struct CiliumScopeTests {
    private func scope(_ namespace: String?, subject: String = "") -> CiliumScope {
        let rule = CiliumRule(subject: .endpoints(selector(subject)), ingress: [element()])
        return CiliumScope(cilium(namespace, "p", rule), rule)
    }

    /// Source, key, operator and values of each condition, sorted.
    private func text(_ selector: LabelSelector) -> [String] {
        selector.requirements.map { "\($0.source):\($0.key) \($0.operator.rawValue) \($0.values)" }.sorted()
    }

    private static let ns = "io.kubernetes.pod.namespace"
    private static let local = "k8s:io.cilium.k8s.policy.cluster=default"

    @Test(
        "a peer gets the policy's namespace and the local cluster unless it says otherwise",
        arguments: [
            // docs/spec/cilium-network-policy.md 19, rows 15-21.
            ("default", "role=x", "role=x,k8s:\(ns)=default,\(local)"),
            ("default", "", "k8s:\(ns)=default,\(local)"),
            ("default", "\(ns)=other", "\(ns)=other,\(local)"),
            ("default", "k8s:\(ns)=other", "k8s:\(ns)=other,\(local)"),
            ("default", "io.cilium.k8s.namespace.labels.team=a", "io.cilium.k8s.namespace.labels.team=a,\(local)"),
            ("default", "reserved:host=", "reserved:host="),
            (nil, "", "k8s:\(ns),\(local)"),
            (nil, "k8s:\(ns)=other", "k8s:\(ns)=other,\(local)"),
            ("default", "io.cilium.k8s.policy.cluster=far", "k8s:\(ns)=default,io.cilium.k8s.policy.cluster=far"),
        ] as [(String?, String, String)])
    func peer(namespace: String?, written: String, scoped: String) {
        #expect(text(scope(namespace).peer(selector(written))) == text(selector(scoped)))
    }

    @Test("a clusterwide rule whose subject is reserved:init leaves its peers without namespace")
    func initSubject() {
        let scoped = scope(nil, subject: "reserved:init").peer(selector())
        #expect(text(scoped) == text(selector(CiliumScopeTests.local)))
    }

    @Test("fromNodes and toNodes mean other nodes of the local cluster (row 22)")
    func nodes() {
        let scope = scope("shop")
        #expect(text(scope.nodes(selector())) == text(selector("reserved:remote-node,\(CiliumScopeTests.local)")))
        let far = "role=db,io.cilium.k8s.policy.cluster=far"
        #expect(text(scope.nodes(selector(far))) == text(selector("\(far),reserved:remote-node")))
    }

    @Test("a subject is in the policy's namespace, and in any other it asks for as well")
    func subject() {
        let scope = scope("shop")
        #expect(text(scope.subject(selector("app=web"))) == text(selector("app=web,k8s:\(CiliumScopeTests.ns)=shop")))
        // Kept and ANDed: such a policy selects nothing.
        #expect(scope.subject(selector("\(CiliumScopeTests.ns)=other")).requirements.count == 2)
        #expect(scope.subject(selector("k8s:\(CiliumScopeTests.ns)=other")).requirements.count == 2)
        #expect(self.scope(nil).subject(selector("app=web")) == selector("app=web"))
    }
}
