import NetpoldTestSupport
import PolicyAnalysis
import Testing

@testable import PolicyAPI

@Suite("Manifests")
struct ManifestDecoderTests {
    @Test("in a repository a placeholder in one document says nothing of the others: their errors and refusals stay")
    func placeholders() {
        let alert = "kind: ConfigMap\nmetadata: {name: x}\ndata: {a: \"pod {{ $labels.pod }} is down\"}\n"
        let wrong =
            "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: n, namespace: a}\n"
            + "spec: {podSelector: {}, policyTypes: [Ingress], ingres: []}\n"
        let template =
            "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: t, namespace: \"${SPACE}\"}\n"
            + "spec: {podSelector: {}, policyTypes: [Ingress]}\n"
        func read(_ documents: [String]) -> DecodedManifests {
            var decoder = ManifestDecoder(isOfRepository: true)
            decoder.add(Array(documents.joined(separator: "---\n").utf8), file: "p.yaml")
            return decoder.finish()
        }
        let mixed = read(["apiVersion: v1\n" + alert, wrong])
        #expect(mixed.diagnostics.errors.map(\.id) == [.unknownField])
        #expect(mixed.diagnostics.errors.first?.location?.line == 9)
        #expect(mixed.refused.map(\.origin.name) == ["n"])
        #expect(!mixed.diagnostics.contains { $0.id == .unrenderedTemplate })
        for documents in [[template, wrong], [wrong, template]] {
            let both = read(documents)
            #expect(both.diagnostics.errors.map(\.id) == [.unknownField], "\(both.diagnostics)")
            #expect(both.diagnostics.filter { $0.id == .unrenderedTemplate }.count == 1)
            #expect(both.refused.map(\.origin.name) == ["n"])
        }
        // What ends in the middle is found to be wrong where the next document begins.
        let cut = read(["kind: NetworkPolicy\nmetadata: {name: {{ .Values.name }}\n", wrong])
        #expect(cut.diagnostics.errors.map(\.id) == [.unknownField], "\(cut.diagnostics)")
        #expect(cut.diagnostics.contains { $0.id == .unrenderedTemplate && $0.location?.line == 2 })
    }

    @Test("Lists are flattened, and one bad item affects only itself")
    func lists() {
        let decoded = decode(
            """
            apiVersion: v1
            kind: List
            items:
            - {apiVersion: v1, kind: Namespace, metadata: {name: a}}
            - {apiVersion: v1, kind: Namespace, metadata: {name: B}}
            - apiVersion: networking.k8s.io/v1
              kind: NetworkPolicy
              metadata: {name: p, namespace: a}
              spec: {ingress: [{}], ingress: []}
            - {apiVersion: v1, kind: List, items: [{apiVersion: v1, kind: Namespace, metadata: {name: c}}]}
            ---
            apiVersion: v1
            kind: PodList
            items: [{metadata: {name: x}}]
            ---
            apiVersion: networking.k8s.io/v1
            kind: NetworkPolicyList
            items:
            """)
        #expect(decoded.objects.namespaces.map(\.metadata.name) == ["a", "c"])
        #expect(decoded.objects.pods.map(\.qualifiedName) == ["default/x"])
        #expect(decoded.errors.count == 2)
        #expect(decoded.refused.map(\.origin.kind) == ["Namespace", "NetworkPolicy"])
        #expect(decoded.diagnostics.map { $0.location?.line } == [5, 9])
        #expect(decoded.diagnostics.last?.path == "items[2].spec.ingress")
    }

    @Test("A pod is read with its ports, sidecars, addresses and phase")
    func pod() throws {
        let decoded = decode(
            """
            apiVersion: v1
            kind: Pod
            metadata: {name: p, namespace: n, labels: {a: b}, uid: u, unknown: 1}
            spec:
              nodeName: node-1
              hostNetwork: true
              unknown: {}
              initContainers:
              - {name: i, ports: [{containerPort: 1}]}
              - {name: s, restartPolicy: Always, ports: [{containerPort: 2, name: side, protocol: UDP, hostIP: x}]}
              containers:
              - {name: c, ports: [{containerPort: 80, name: http}]}
              - {name: d, ports: null}
            status: {phase: Succeeded, podIP: 10.0.0.1, podIPs: [{ip: 10.0.0.1}, {ip: "fd00::1"}]}
            """)
        #expect(decoded.diagnostics == [])
        let pod = try #require(decoded.objects.pods.first)
        #expect(
            pod.ports == [
                ContainerPort(name: "side", protocol: .udp, port: 2),
                ContainerPort(name: "http", protocol: .tcp, port: 80),
            ])
        #expect(pod.addresses.map(\.description) == ["10.0.0.1", "fd00::1"])
        #expect(pod.hostNetwork && pod.isFinished && pod.serviceAccount == "default" && pod.nodeName == "node-1")
        #expect(
            decode("apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nstatus: {podIP: fd00::2}").objects.pods.first?
                .addresses.count == 1)
    }

    @Test(
        "An invalid pod is refused",
        arguments: [
            "status: {podIP: 10.0.0.300}", "status: {podIP: 10.0.0.1, podIPs: [{ip: 10.0.0.2}]}",
            "spec: {containers: {}}",
            "spec: {containers: [{ports: [{containerPort: 0}]}]}", "spec: {containers: [{ports: [{name: x}]}]}",
            "spec: {containers: [{ports: [{containerPort: 1, protocol: ICMP}]}]}", "spec: {hostNetwork: 'true'}",
            "spec: []",
        ])
    func badPod(_ text: String) {
        let decoded = decode("apiVersion: v1\nkind: Pod\nmetadata: {name: p}\n" + text)
        #expect(decoded.objects.pods.isEmpty && decoded.errors.count == 1)
        // What is known of its address is closed.
        let closed = decoded.refused.flatMap { ($0.addresses ?? []).map(\.description) }
        #expect(closed == (text.contains("podIPs") ? ["10.0.0.2"] : []))
    }

    @Test("Namespaces, nodes, services and slices are read")
    func others() {
        let decoded = decode(
            """
            {apiVersion: v1, kind: Namespace, metadata: {name: n, labels: {kubernetes.io/metadata.name: lie}}}
            ---
            {apiVersion: v1, kind: Node, metadata: {name: m}, status: {addresses: [{type: InternalIP, address: 10.0.0.1}, {type: Hostname, address: m}, {type: ExternalIP, address: 10.0.0.1}]}}
            ---
            {apiVersion: v1, kind: Service, metadata: {name: s}, spec: {selector: {a: b}}}
            ---
            {apiVersion: v1, kind: Service, metadata: {name: t}, spec: {type: ExternalName, selector: {a: b}}}
            ---
            {apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {name: e, labels: {kubernetes.io/service-name: s}}, addressType: IPv4, endpoints: [{addresses: [10.0.0.2, 10.0.0.3]}]}
            """)
        #expect(decoded.diagnostics == [])
        #expect(decoded.objects.namespaces.first?.metadata.labels == ["kubernetes.io/metadata.name": "n"])
        #expect(decoded.objects.nodes.first?.addresses.map(\.description) == ["10.0.0.1"])
        #expect(decoded.objects.services.map(\.selector) == [["a": "b"], [:]])
        #expect(decoded.objects.endpointSlices.first?.serviceName == "s")
        #expect(decoded.objects.endpointSlices.first?.addresses.count == 2)
    }

    @Test("Skipped objects are summarised in one line, most frequent kind first")
    func skippedSummary() {
        func object(_ kind: String) -> String {
            "apiVersion: example.org/v1\nkind: \(kind)\nmetadata: {name: a}\n---\n"
        }
        #expect(decode(object("Gateway")).skippedSummary == "skipped 1 object that is not policy input: Gateway 1")
        #expect(
            decode(object("Gateway") + object("Ingress") + object("Ingress") + object("Deployment")).skippedSummary
                == "skipped 4 objects that are not policy input: Ingress 2, Deployment 1, Gateway 1")
        #expect(decode(networkPolicy("podSelector: {}")).skippedSummary == nil)
    }

    @Test("Kinds that are not policy input are counted, but for tests that lie beside their manifests")
    func skipped() {
        let decoded = decode(
            "{apiVersion: apps/v1, kind: Deployment}\n---\n{apiVersion: apps/v1, kind: Deployment}\n---\n"
                + "{apiVersion: serving.knative.dev/v1, kind: Service}\n---\n{apiVersion: v1, kind: ConfigMap}\n---\n"
                + "{apiVersion: netpold.dev/v1alpha1, kind: PolicyTest}")
        #expect(decoded.diagnostics == [])
        #expect(decoded.skipped == ["Deployment": 2, "Service": 1, "ConfigMap": 1])
    }

    @Test(
        "What looks like a policy but is not read is an error",
        arguments: [
            ("networking.k8s.io/v1beta1", "NetworkPolicy"), ("extensions/v1beta1", "NetworkPolicy"),
            ("v1", "NetworkPolicy"),
            ("projectcalico.org/v3", "NetworkPolicy"), ("projectcalico.org/v3", "GlobalNetworkPolicy"),
            ("networking.k8s.io/v1", "NetworkPolcy"), ("networking.k8s.io/v1", "networkpolicy"),
            ("cilium.io/v2", "CiliumClusterWideNetworkPolicy"), ("cilium.io/v2alpha1", "CiliumNetworkPolicy"),
            ("cilium.io/v2", "CiliumNetworkPolicies"), ("policy.networking.k8s.io/v1alpha2", "AdminNetworkPolicy"),
            ("policy.networking.k8s.io/v1alpha1", "ClusterNetworkPolicy"),
        ])
    func lookalikes(_ apiVersion: String, _ kind: String) {
        let decoded = decode("{apiVersion: \(apiVersion), kind: \(kind), metadata: {name: p}}")
        #expect(decoded.diagnostics.map(\.id) == [.unknownKind])
        #expect(decoded.hasErrors)
        #expect(decoded.skipped.isEmpty, "told already")
    }

    @Test(
        "A document that is not an object is an error",
        arguments: [
            "[1]", "text", "kind: Pod", "apiVersion: v1", "{apiVersion: 1, kind: Pod}", "{apiVersion: v1, kind: Pod}",
            "{apiVersion: v1, kind: Pod, metadata: {}}", "{apiVersion: v1, kind: Pod, metadata: {name: a_b}}",
            "{apiVersion: v1, kind: Pod, metadata: {name: a, namespace: A}}",
        ])
    func noObject(_ text: String) {
        let decoded = decode(text)
        #expect(decoded.errors.count == 1)
        #expect(decoded.objects.pods.isEmpty)
    }

    @Test(
        "An object defined twice is an error that names both locations, across files; such a policy is refused in both")
    func duplicates() {
        func both(_ first: String, _ second: String) -> DecodedManifests {
            var decoder = ManifestDecoder()
            decoder.add(Array(networkPolicy(first).utf8), file: "a.yaml")
            decoder.add(Array(networkPolicy(second).utf8), file: "b.yaml")
            return decoder.finish()
        }
        let decoded = both("podSelector: {}", "podSelector: {matchLabels: {a: b}}")
        #expect(decoded.errors == ["NetworkPolicy shop/p is defined twice, first at a.yaml:1:1"])
        #expect(decoded.objects.networkPolicies.isEmpty)
        #expect(decoded.refused.map(\.origin.location?.file) == ["a.yaml", "b.yaml"])
        // One with an error is another one, whatever it would say without it.
        for pair in [
            ("podSelector: {}", "podSelector: {}\n  ingres: []"), ("podSelector: {}\n  ingres: []", "podSelector: {}"),
        ] {
            let decoded = both(pair.0, pair.1)
            #expect(decoded.objects.networkPolicies.isEmpty && decoded.refused.count == 2)
        }
        let same = both("podSelector: {matchLabels: {a: b}}", "podSelector:\n    matchLabels: {a: b}")
        #expect(same.errors == [] && same.objects.networkPolicies.count == 1 && same.refused.isEmpty)
        #expect(same.warnings == [": NetworkPolicy shop/p is defined twice, first at a.yaml:1:1, saying the same"])
        let service = "{apiVersion: v1, kind: Service, metadata: {name: s}, spec: {selector: {a: b}}}\n---\n"
        let services = decode(service + service.replacing("a: b", with: "a: c"))
        // As in the agent, packets go where the first says; policies do not know whom it means.
        #expect(services.warnings.count == 1 && services.objects.services.map(\.selector) == [["a": "b"]])
        #expect(services.objects.services.map(\.isUnknown) == [true])
    }

    @Test("Policy metadata is strict too")
    func metadata() {
        let decoded = decode(
            "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: p, namspace: shop}\n")
        #expect(decoded.errors == ["metadata.namspace: unknown field"])
    }

    @Test("Diagnostics of one object are bounded")
    func bounded() {
        let ports = Array(repeating: "{port: 0}", count: 5_000).joined(separator: ", ")
        #expect(decode(networkPolicy("ingress: [{ports: [\(ports)]}]")).diagnostics.count == DiagnosticCollector.limit)
    }

    @Test("Many repeated and unknown keys cost linear time", .timeLimit(.minutes(1)))
    func manyKeys() {
        let keys = (0..<100_000).map { "  k\($0): 1\n" }.joined()
        let repeated = String(repeating: "  k99999: 1\n", count: 100_000)
        let decoded = decode(
            "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: p}\nspec:\n" + keys + repeated)
        #expect(decoded.objects.networkPolicies.isEmpty)
        #expect(decoded.diagnostics.count == 200)
    }

    @Test("Truncated or damaged at any byte, a manifest never crashes the reader", arguments: ["a.yaml", "a.json"])
    func damaged(_ file: String) {
        let yaml =
            ciliumPolicy(
                "endpointSelector: {matchLabels: {a: \"b\\u00e9\"}}\ningress:\n- &e {fromEntities: [world]}\n- *e\negress:\n- toPorts:\n  - ports: [{port: '80', protocol: TCP}]\n    rules:\n      http:\n      - path: |-\n          /x\n"
            )
            + "--- # ü\n%x\n" + networkPolicy("ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8}}], ports: [{port: 1}]}]")
        let json =
            #"{"apiVersion":"networking.k8s.io/v1","kind":"NetworkPolicy","metadata":{"name":"p\ud83d\ude00"},"spec":{"ingress":[{"ports":[{"port":-1.5e3,"protocol":null}]},true]}}"#
        let bytes = Array((file == "a.json" ? json : yaml).utf8)
        for count in 0...bytes.count {
            var decoder = ManifestDecoder()
            decoder.add(Array(bytes[..<count]), file: file)
            decoder.add(Array(bytes[count...]), file: file)
            if count < bytes.count {
                for damage: UInt8 in [
                    0, 0xff, UInt8(ascii: "{"), UInt8(ascii: "\n"), UInt8(ascii: "*"), UInt8(ascii: "\""),
                ] {
                    var copy = bytes
                    copy[count] = damage
                    decoder.add(copy, file: file)
                }
            }
            #expect(decoder.finish().objects.pods.isEmpty)
        }
    }
}
