import NetpoldTestSupport
import Testing

@testable import PolicyAPI

@Suite("Lint: selectors that match nothing")
struct SelectorLintTests {
    private let pods =
        namespace("shop", "team: storefront") + namespace("monitoring") + pod("web", "app: web, tier: front")
        + pod("prometheus", "app: prometheus", namespace: "monitoring")

    private func subject(_ selector: String, namespace: String = "shop") -> String {
        """
        apiVersion: networking.k8s.io/v1
        kind: NetworkPolicy
        metadata: {name: p, namespace: \(namespace)}
        spec:
          podSelector: \(selector)
        """
    }

    private func from(_ peer: String) -> String {
        subject("{}") + "\n  ingress:\n    - from:\n        - \(peer)\n"
    }

    private func cilium(_ selector: String) -> String {
        """
        apiVersion: cilium.io/v2
        kind: CiliumNetworkPolicy
        metadata: {name: p, namespace: shop}
        spec:
          endpointSelector: \(selector)
          ingress:
            - fromEntities: [all]
        """
    }

    @Test("A misspelt label of the subject is reported with the nearest one, at the selector")
    func subject() {
        #expect(
            lint(pods + subject("{matchLabels: {app: wbe}}"), .selectsNothing).map { $0.drop { $0 != " " } } == [
                " spec.podSelector: no pod of shop has app=wbe, so the policy selects nothing; did you mean app=web?"
            ])
        #expect(
            lint(pods + cilium("{matchLabels: {k8s-app: web}}"), .selectsNothing).map { $0.drop { $0 != " " } } == [
                " spec.endpointSelector: no pod of shop has k8s-app=web, so the policy selects nothing; did you mean app=web?"
            ])
    }

    @Test("Conditions that no single pod meets in combination are reported together")
    func together() {
        let all = pods + pod("db", "app: db, tier: data") + subject("{matchLabels: {app: web, tier: data}}")
        #expect(lint(all, .selectsNothing).contains { $0.contains("no pod of shop has app=web, tier=data,") })
    }

    @Test("A subject that only hostNetwork pods match is reported as such")
    func hostNetwork() {
        let all = pods + pod("proxy", "app: proxy", spec: ", hostNetwork: true")
        #expect(
            lint(all + subject("{matchLabels: {app: proxy}}"), .selectsNothing).contains {
                $0.contains("only hostNetwork pods match")
            })
    }

    @Test("A peer is compared with the pods of the namespaces it selects")
    func peers() {
        let found = lint(
            pods
                + from(
                    "{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: monitoring}}, podSelector: {matchLabels: {app: web}}}"
                ), .selectsNothing)
        #expect(found.count == 1)
        #expect(found[0].contains("spec.ingress[0].from[0].podSelector: no pod of monitoring has app=web"))
        #expect(lint(pods + from("{podSelector: {matchLabels: {app: prometheus}}}"), .selectsNothing).count == 1)
    }

    @Test("A namespace that is declared without the label asked for is named")
    func namespaceWithoutLabel() {
        let found = lint(
            pods + from("{namespaceSelector: {matchLabels: {purpose: monitoring}}}"), .selectsNothing)
        #expect(found.count == 1)
        #expect(found[0].contains("no known namespace has purpose=monitoring, not even the one named monitoring"))
        let near = lint(pods + from("{namespaceSelector: {matchLabels: {team: storefrnt}}}"), .selectsNothing)
        #expect(near.first?.hasSuffix("did you mean team=storefront?") == true)
    }

    private func fromEndpoints(_ labels: String) -> String {
        cilium("{}").replacing("- fromEntities: [all]", with: "- fromEndpoints: [{matchLabels: {\(labels)}}]\n")
    }

    @Test("A misspelt namespace of a Cilium peer is reported; a note where only the beginning is right")
    func ciliumNamespace() {
        let key = "k8s:io.kubernetes.pod.namespace"
        let near = lint(pods + fromEndpoints("\(key): monitorng, app: prometheus"), .selectsNothing)
        #expect(near.count == 1)
        #expect(
            near.first?.hasSuffix(
                "spec.ingress[0].fromEndpoints[0]: there is no known namespace monitorng, so the peer selects nothing; did you mean monitoring?"
            ) == true)
        let short = lint(pods + fromEndpoints("\(key): monitor"))
        #expect(short.filter { $0.id == .selectsNothing }.map(\.severity) == [.note])
        #expect(lint(pods + fromEndpoints("\(key): kube-system"), .selectsNothing) == [])
        #expect(lint(pods + fromEndpoints("\(key): monitoring, app: prometheus"), .selectsNothing) == [])
        let subject = """
            apiVersion: cilium.io/v2
            kind: CiliumClusterwideNetworkPolicy
            metadata: {name: p}
            spec: {endpointSelector: {matchLabels: {\(key): shpo}}, ingress: [{fromEntities: [all]}]}
            """
        #expect(
            lint(pods + subject, .selectsNothing).first?.hasSuffix("the policy selects nothing; did you mean shop?")
                == true)
    }

    @Test("The subject of a ClusterNetworkPolicy is compared with the known namespaces and pods")
    func clusterPolicySubject() {
        func admin(_ subject: String) -> String {
            """
            apiVersion: policy.networking.k8s.io/v1alpha2
            kind: ClusterNetworkPolicy
            metadata: {name: p}
            spec: {tier: Admin, priority: 1, subject: \(subject), ingress: [{action: Deny, from: [{namespaces: {}}]}]}

            """
        }
        func named(_ name: String) -> String { "{matchLabels: {kubernetes.io/metadata.name: \(name)}}" }
        let found = lint(pods + admin("{namespaces: \(named("shopp"))}"), .selectsNothing)
        #expect(found.count == 1)
        #expect(found.first?.contains("spec.subject: no known namespace has") == true)
        #expect(found.first?.hasSuffix("did you mean kubernetes.io/metadata.name=shop?") == true)
        #expect(lint(pods + admin("{namespaces: \(named("shop"))}"), .selectsNothing) == [])
        #expect(lint(pods + admin("{namespaces: \(named("billing"))}"), .selectsNothing) == [])
        #expect(lint(pods + admin("{namespaces: {}}"), .selectsNothing) == [])
        let labelled = { (label: String) in
            admin("{pods: {namespaceSelector: \(named("shop")), podSelector: {matchLabels: {app: \(label)}}}}")
        }
        #expect(
            lint(pods + labelled("wbe"), .selectsNothing).first?
                .contains("no pod of shop has app=wbe, so the policy selects nothing; did you mean app=web?") == true)
        #expect(lint(pods + labelled("web"), .selectsNothing) == [])
    }

    @Test("A peer without a namespace is told in which namespace such pods are")
    func elsewhere() {
        let plain = lint(pods + from("{podSelector: {matchLabels: {app: prometheus}}}"), .selectsNothing)
        #expect(
            plain.first?.hasSuffix(
                "monitoring has such pods: select them with namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: monitoring}}"
            ) == true)
        let found = lint(pods + fromEndpoints("app: prometheus"), .selectsNothing)
        #expect(
            found.first?.hasSuffix(
                "monitoring has such pods: select them by k8s:io.kubernetes.pod.namespace: monitoring") == true)
    }

    @Test("A namespace's name under a key that no pod has is reported once, with the key to write")
    func namespaceKey() {
        for label in ["kubernetes.io/metadata.name: monitoring", "namespace: monitoring"] {
            let text = pods + fromEndpoints("app: prometheus, \(label)")
            let found = lint(text, .namespaceLabelKey)
            #expect(found.count == 1)
            #expect(found.first?.hasSuffix("write k8s:io.kubernetes.pod.namespace: monitoring") == true)
            #expect(lint(text, .selectsNothing) == [])
        }
        // A label of pods may be called so.
        #expect(lint(pods + fromEndpoints("namespace: billing"), .namespaceLabelKey) == [])
        let labelled = pod("x", "namespace: monitoring")
        #expect(lint(pods + labelled + fromEndpoints("namespace: monitoring"), .namespaceLabelKey) == [])
    }

    @Test(
        "What may be outside the files is not reported",
        arguments: [
            // The namespace's pods are not here.
            "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: p, namespace: other}\nspec: {podSelector: {matchLabels: {app: x}}}",
            // A selector without conditions is never wrong.
            "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: p, namespace: shop}\nspec: {podSelector: {}}",
        ])
    func silentSubjects(_ policy: String) {
        #expect(lint(pods + policy, .selectsNothing) == [])
    }

    @Test(
        "Peers that may be outside the files are not reported",
        arguments: [
            "{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: kube-system}}}",
            "{namespaceSelector: {}, podSelector: {matchLabels: {k8s-app: kube-dns}}}",
            "{namespaceSelector: {matchLabels: {team: payments}}}",
            "{podSelector: {matchLabels: {app: web}}}",
            "{ipBlock: {cidr: 10.0.0.0/8}}",
        ])
    func silentPeers(_ peer: String) {
        #expect(lint(pods + from(peer), .selectsNothing) == [])
    }

    @Test("Nothing is reported without pods and namespaces, nor where pods have no labels")
    func nothingKnown() {
        #expect(lint(subject("{matchLabels: {app: x}}"), .selectsNothing) == [])
        #expect(lint(pod("bare", "") + subject("{matchLabels: {app: x}}"), .selectsNothing) == [])
    }

    @Test("Reserved labels are not pod labels")
    func reserved() {
        #expect(lint(pods + cilium("{matchLabels: {reserved:init: \"\"}}"), .selectsNothing) == [])
    }

    @Test("A namespaceSelector for the label name is noted, unless a namespace has it")
    func nameLabel() {
        let policy = from("{namespaceSelector: {matchLabels: {name: billing}}}")
        #expect(lint(policy, .namespaceNameLabel).count == 1)
        #expect(lint(namespace("billing", "name: billing") + policy, .namespaceNameLabel) == [])
        #expect(lint(from("{namespaceSelector: {matchLabels: {team: billing}}}"), .namespaceNameLabel) == [])
    }

    @Test("A policy in an undeclared namespace is reported, with the nearest name")
    func undeclared() {
        #expect(
            lint(pods + subject("{}", namespace: "monitorin"), .undeclaredNamespace).first?
                .hasSuffix("did you mean monitoring?") == true)
        #expect(lint(pods + subject("{}", namespace: "kube-system"), .undeclaredNamespace) == [])
        #expect(
            lint(pods + pod("x", "", namespace: "extra") + subject("{}", namespace: "extra"), .undeclaredNamespace)
                == [])
        #expect(lint(subject("{}", namespace: "extra"), .undeclaredNamespace) == [])
    }
}
