import NetpoldTestSupport
import Testing

@testable import PolicyAPI
@testable import PolicyAnalysis
@testable import PolicyIR

/// What real repositories have shown to be reported falsely, or missed.
@Suite("Lint: repositories")
struct RepositoryLintTests {
    private func cilium(_ egress: String, namespace: String = "shop", subject: String = "{}") -> String {
        """
        apiVersion: cilium.io/v2
        kind: CiliumNetworkPolicy
        metadata: {name: p\(subject.hashValue.magnitude % 1000)\(egress.hashValue.magnitude % 1000), namespace: \(namespace)}
        spec:
          endpointSelector: \(subject)
          egress: \(egress)
        ---

        """
    }

    private let deployment = """
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: web, namespace: shop}
        spec:
          selector: {matchLabels: {app: web}}
          template: {metadata: {labels: {app: web}}, spec: {containers: [{name: c}]}}
        ---

        """

    private func lintFolder(_ text: String, _ id: DiagnosticID) -> [Diagnostic.Severity] {
        var decoder = ManifestDecoder(keepsDocuments: true, readsWorkloads: true)
        decoder.add(Array(text.utf8), file: "p.yaml")
        var decoded = decoder.finish()
        decoded.addSyntheticPods()
        let lowered = PolicyLowering.lower(decoded.objects, for: .enforcement)
        return Linter.lint(decoded, lowered: lowered).filter { $0.id == id }.map(\.severity)
    }

    private func selecting(_ label: String) -> String {
        "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: p, namespace: shop}\n"
            + "spec: {podSelector: {matchLabels: {\(label)}}}\n"
    }

    @Test("selects-nothing is a note where only workloads are known, unless a label is similar")
    func estimated() {
        #expect(lintFolder(deployment + selecting("app: prometheus"), .selectsNothing) == [.note])
        #expect(lintFolder(deployment + selecting("app: wbe"), .selectsNothing) == [.warning])
        // With all its pods the namespace is known.
        let pods = pod("web-1", "app: web")
        #expect(lintFolder(deployment + pods + selecting("app: prometheus"), .selectsNothing) == [.warning])
    }

    @Test("a policy for hostNetwork pods only is reported, also where nothing else is known")
    func hostNetworkOnly() {
        let host = pod("a", "app: a", spec: ", hostNetwork: true")
        #expect(lint(host + selecting("app: a"), .selectsNothing).count == 1)
        #expect(lint(host + selecting("app: b"), .selectsNothing) == [])
    }

    @Test(
        "DNS pods are looked for where they are",
        arguments: [
            ("[{toEndpoints: [{matchLabels: {k8s-app: kube-dns}}]}]", "shop", 1),
            ("[{toEndpoints: [{matchLabels: {app.kubernetes.io/name: coredns}}]}]", "shop", 1),
            ("[{toEndpoints: [{matchLabels: {k8s-app: kube-dns}}]}]", "kube-system", 0),
            ("[{toEndpoints: [{matchLabels: {k8s-app: kube-dns}}]}]", "openshift-dns", 0),
            (
                "[{toEndpoints: [{matchLabels: {k8s-app: kube-dns, k8s:io.kubernetes.pod.namespace: kube-system}}]}]",
                "shop", 0
            ),
            (
                "[{toEndpoints: [{matchLabels: {k8s-app: kube-dns, io.kubernetes.pod.namespace: kube-system}}]}]",
                "shop",
                0
            ),
            (
                "[{toEndpoints: [{matchLabels: {k8s-app: kube-dns}, matchExpressions: [{key: k8s:io.kubernetes.pod.namespace, operator: Exists}]}]}]",
                "shop", 0
            ),
            (
                "[{toEndpoints: [{matchLabels: {k8s-app: kube-dns, k8s:io.cilium.k8s.namespace.labels.a: b}}]}]",
                "shop", 0
            ),
            (
                "[{toEndpoints: [{matchLabels: {k8s-app: kube-dns, kubernetes.io/metadata.name: kube-system}}]}]",
                "shop", 0
            ),
            ("[{toEndpoints: [{matchLabels: {k8s-app: web}}]}]", "shop", 0),
        ])
    func dnsPeer(_ egress: String, _ namespace: String, _ count: Int) {
        #expect(lint(cilium(egress, namespace: namespace), .dnsPeerWithoutNamespace).count == count)
    }

    @Test("so it is in a NetworkPolicy; DNS pods of the policy's own namespace are no mistake")
    func dnsPeerOfNetworkPolicy() {
        let policy = """
            apiVersion: networking.k8s.io/v1
            kind: NetworkPolicy
            metadata: {name: p, namespace: shop}
            spec:
              podSelector: {}
              egress:
                - to: [{podSelector: {matchLabels: {k8s-app: kube-dns}}}]

            """
        #expect(lint(policy, .dnsPeerWithoutNamespace).count == 1)
        #expect(lint(pod("dns", "k8s-app: kube-dns") + policy, .dnsPeerWithoutNamespace) == [])
        #expect(lint(pod("web", "app: web") + policy, .selectsNothing) == [])
        let both = policy.replacing(
            "podSelector: {matchLabels", with: "namespaceSelector: {}, podSelector: {matchLabels")
        #expect(lint(both, .dnsPeerWithoutNamespace) == [])
    }

    @Test(
        "DNS pods that are looked for in the wrong namespace are not reported where look-ups are allowed all the same",
        arguments: [
            ("{k8s-app: kube-dns, k8s:io.kubernetes.pod.namespace: kube-system}", 0), ("{app: web}", 1),
        ])
    func dnsPeerBesideAnother(_ labels: String, _ count: Int) {
        let mistaken = "{matchLabels: {k8s-app: kube-dns}}"
        let other = "{matchLabels: \(labels)}"
        let rule = { (peers: String) in "{toEndpoints: [\(peers)]}" }
        #expect(lint(cilium("[\(rule("\(mistaken), \(other)"))]"), .dnsPeerWithoutNamespace).count == count)
        #expect(lint(cilium("[\(rule(mistaken)), \(rule(other))]"), .dnsPeerWithoutNamespace).count == count)
        let policies = cilium("[\(rule(mistaken))]") + cilium("[\(rule(other))]")
        #expect(lint(policies, .dnsPeerWithoutNamespace).count == count)
        // Names and the world do not reach the cluster's DNS.
        for element in ["{toFQDNs: [{matchName: a.example.com}]}", "{toEntities: [world]}"] {
            #expect(lint(cilium("[\(rule(mistaken)), \(element)]"), .dnsPeerWithoutNamespace).count == 1)
        }
    }

    @Test(
        "an element of peers beside one of ports opens the ports to anybody",
        arguments: [
            ("[{toEntities: [kube-apiserver]}, {toPorts: [{ports: [{port: \"6443\"}]}]}]", 1),
            ("[{toPorts: [{ports: [{port: \"6443\"}]}]}, {toCIDR: [10.0.0.0/8]}]", 1),
            // One element; DNS to any server; everybody anyway; peers with ports of their own; two of ports.
            ("[{toEntities: [kube-apiserver], toPorts: [{ports: [{port: \"6443\"}]}]}]", 0),
            (
                "[{toEntities: [cluster]}, {toPorts: [{ports: [{port: \"53\"}], rules: {dns: [{matchPattern: \"*\"}]}}]}]",
                0
            ),
            ("[{toEntities: [all]}, {toPorts: [{ports: [{port: \"6443\"}]}]}]", 0),
            (
                "[{toCIDR: [10.0.0.0/8], toPorts: [{ports: [{port: \"1\"}]}]}, {toPorts: [{ports: [{port: \"2\"}]}]}]",
                0
            ),
            (
                "[{toCIDR: [10.0.0.0/8]}, {toPorts: [{ports: [{port: \"1\"}]}]}, {toPorts: [{ports: [{port: \"2\"}]}]}]",
                0
            ),
        ])
    func portsAlone(_ egress: String, _ count: Int) {
        let found = lint(cilium(egress), .orInsteadOfAnd)
        #expect(found.count == count)
        #expect(found.allSatisfy { $0.contains("open to any destination") })
    }

    @Test("the look-alike of a namespace's label is named, wherever it stands")
    func lookAlike() {
        let key = "k8s:io.kubernetes.pod.namespace.labels.team"
        let found = lint(
            cilium("[{toEndpoints: [{matchLabels: {\(key): a}}]}]", subject: "{matchLabels: {\(key): b}}"),
            .namespaceLabelKey)
        #expect(found.count == 2)
        #expect(found.allSatisfy { $0.hasSuffix("write k8s:io.cilium.k8s.namespace.labels.team") })
    }

    @Test("DNS that one or the other of two complementary policies allows is allowed")
    func complementaryDNS() {
        func policy(_ name: String, _ selector: String, _ egress: String) -> String {
            """
            apiVersion: networking.k8s.io/v1
            kind: NetworkPolicy
            metadata: {name: \(name), namespace: shop}
            spec: {podSelector: \(selector), policyTypes: [Egress], egress: [\(egress)]}
            ---

            """
        }
        let web = policy("web", "{}", "{to: [{podSelector: {matchLabels: {app: db}}}], ports: [{port: 5432}]}")
        let dns = "{ports: [{protocol: UDP, port: 53}, {protocol: TCP, port: 53}]}"
        let first = policy("first", "{matchExpressions: [{key: tier, operator: In, values: [a, b]}]}", dns)
        let second = policy("second", "{matchExpressions: [{key: tier, operator: NotIn, values: [b, a]}]}", dns)
        let third = policy("third", "{matchExpressions: [{key: tier, operator: NotIn, values: [a]}]}", dns)
        #expect(lint(web, .egressWithoutDNS).count == 1)
        #expect(lint(web + first, .egressWithoutDNS).count == 1)
        #expect(lint(web + first + second, .egressWithoutDNS) == [])
        #expect(lint(web + first + third, .egressWithoutDNS).count == 1)
    }

    @Test("names that pods learn by labels no file shows are not reported")
    func unseenLabels() {
        let names = cilium("[{toFQDNs: [{matchName: example.com}]}]", subject: "{matchLabels: {app: web}}")
        let dns = cilium(
            "[{toPorts: [{ports: [{port: \"53\"}], rules: {dns: [{matchPattern: \"*\"}]}}]}]",
            subject: "{matchLabels: {dns: \"yes\"}}")
        #expect(lint(names, .fqdnWithoutDNSRule).count == 1)
        #expect(lint(names + dns, .fqdnWithoutDNSRule) == [])
        #expect(lint(pod("web", "app: web") + names + dns, .fqdnWithoutDNSRule).count == 1)
        #expect(lint(pod("web", "app: web, dns: \"yes\"") + names + dns, .fqdnWithoutDNSRule) == [])
    }

    @Test("namespaces are missed only where most are declared")
    func undeclared() {
        let policies = ["a", "b", "c"].map { selecting("x: y").replacing("shop", with: $0) }.joined(separator: "---\n")
        #expect(lint(namespace("a") + policies, .undeclaredNamespace) == [])
        #expect(lint(namespace("a") + namespace("b") + policies, .undeclaredNamespace).count == 1)
    }

    @Test("peers of ClusterNetworkPolicies are compared with the pods of the namespaces they name")
    func clusterPolicyPeers() {
        func policy(_ pods: String) -> String {
            """
            apiVersion: policy.networking.k8s.io/v1alpha2
            kind: ClusterNetworkPolicy
            metadata: {name: p}
            spec:
              tier: Admin
              priority: 1
              subject: {namespaces: {}}
              ingress:
                - action: Accept
                  from: [{pods: {namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: shop}}, podSelector: {matchLabels: {\(pods)}}}}]

            """
        }
        let known = namespace("shop", "kubernetes.io/metadata.name: shop") + pod("web", "app: web")
        #expect(lint(known + policy("app: wbe"), .selectsNothing).first?.contains("did you mean app=web?") == true)
        #expect(lint(known + policy("app: web"), .selectsNothing) == [])
    }
}
