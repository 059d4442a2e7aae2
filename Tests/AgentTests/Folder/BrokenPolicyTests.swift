import NetTypes
import PolicyAPI
import PolicyIR
import Testing

@testable import Agent

/// New files that are no YAML: whom their policies name is isolated as far as that can be read.
@Suite struct BrokenPolicyTests {
    /// Whom a file isolates, in words.
    private func isolated(_ text: String, file: String = "a.yaml") -> [String] {
        let content = ManifestFile(decoding: Array(text.utf8), file: file)
        #expect(!content.unreadable.isEmpty)
        #expect(content.objects == [])
        return content.refused.flatMap { refused in
            refused.isolating.map { policy in
                let directions = [policy.ingress == nil ? "" : "in", policy.egress == nil ? "" : "out"].joined()
                return "\(refused.key.text): \(BrokenPolicyTests.words(policy.subject)) \(directions)"
            }
        }
    }

    private static func words(_ subject: PolicySubject) -> String {
        switch subject {
        case .pods(.named(let namespace), let selector):
            "\(namespace) \(selector.requirements.map { "\($0.key)=\($0.values.joined(separator: "|"))" }.joined(separator: ","))"
        case .pods(.matching, _): "namespaces"
        case .endpoints(let selector):
            selector.requirements.map { "\($0.key)=\($0.values.joined(separator: "|"))" }.joined(separator: ",")
        case .nodes: "nodes"
        }
    }

    private let head =
        "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata:\n  name: web\n  namespace: shop\n"

    @Test("an error after the selector isolates whom it selects, in both directions unless they were read")
    func after() {
        let selector = "spec:\n  podSelector:\n    matchLabels: {app: web}\n"
        #expect(isolated(head + selector + "  ingress: [") == ["NetworkPolicy shop/web: shop app=web inout"])
        #expect(isolated(head + selector + "\tingress:\n") == ["NetworkPolicy shop/web: shop app=web inout"])
        #expect(
            isolated(head + selector + "  policyTypes: [Ingress]\n  ingress: {") == [
                "NetworkPolicy shop/web: shop app=web in"
            ])
        // A list of directions that may go on says nothing.
        #expect(
            isolated(head + selector + "  policyTypes: [Ingress") == ["NetworkPolicy shop/web: shop app=web inout"])
    }

    @Test("an error before the selector is left out, as long as kind and namespace are there")
    func before() {
        let rest = "spec:\n  podSelector: {matchLabels: {app: web}}\n"
        #expect(
            isolated(head + "  labels: {a: b: c}\n" + rest) == ["NetworkPolicy shop/web: shop app=web inout"])
        #expect(
            isolated("x: ]\n" + head + rest) == ["NetworkPolicy shop/web: shop app=web inout"])
        // The line with the namespace is the broken one: `default` would be a guess.
        #expect(
            isolated(head.replacing("namespace: shop", with: "namespace: [shop") + rest) == [])
        #expect(isolated(head.replacing("kind: NetworkPolicy", with: "kind: [NetworkPolicy") + rest) == [])
    }

    @Test("a selector that breaks off selects more, never fewer; none at all isolates nobody")
    func selector() {
        #expect(
            isolated(head + "spec:\n  podSelector:\n    matchLabels:\n      app: web\n      tier: [\n") == [
                "NetworkPolicy shop/web: shop app=web inout"
            ])
        // The value may go on in the next line.
        #expect(
            isolated(head + "spec:\n  podSelector:\n    matchLabels:\n      app: web\n\t  tier: x\n") == [
                "NetworkPolicy shop/web: shop  inout"
            ])
        #expect(isolated(head + "spec:\n  ingress: [\n") == [])
        #expect(isolated("kind: Deployment\nmetadata: {name: x}\nspec: {podSelector: [\n") == [])
        #expect(isolated("[") == [])
        #expect(isolated("\u{1}") == [])
    }

    @Test("Cilium policies by their endpoint selectors, also the clusterwide ones")
    func cilium() {
        let text = """
            apiVersion: cilium.io/v2
            kind: CiliumNetworkPolicy
            metadata: {name: web, namespace: shop}
            spec:
              endpointSelector: {matchLabels: {app: web}}
              ingress: [

            """
        #expect(isolated(text).count == 1)
        #expect(isolated(text)[0].contains("app=web"))
        #expect(isolated(text)[0].hasSuffix("inout"))
        #expect(
            isolated(text.replacing("CiliumNetworkPolicy", with: "CiliumClusterwideNetworkPolicy")).count == 1)
    }

    @Test("the other documents of a file are taken; items of a list that breaks off are each isolated")
    func several() {
        let good = TrackedFolder.policy("good")
        let broken = head + "spec:\n  podSelector: {}\n  ingress: ["
        let content = ManifestFile(decoding: Array((good + "---\n" + broken).utf8), file: "a.yaml")
        #expect(content.objects.map(\.metadata.name) == ["good"])
        #expect(content.refused.map(\.key.name) == ["web"])
        let item =
            "- apiVersion: networking.k8s.io/v1\n  kind: NetworkPolicy\n  metadata: {name: NAME, namespace: shop}\n"
            + "  spec: {podSelector: {matchLabels: {app: NAME}}}\n"
        let list = "apiVersion: v1\nitems:\n" + ["a", "b"].map { item.replacing("NAME", with: $0) }.joined()
        // `kubectl get -o yaml` writes the kind of a list after its items.
        #expect(
            isolated(list) == ["NetworkPolicy shop/a: shop app=a inout", "NetworkPolicy shop/b: shop app=b inout"])
        #expect(
            isolated(list + "- kind: [").prefix(2) == [
                "NetworkPolicy shop/a: shop app=a inout", "NetworkPolicy shop/b: shop app=b inout",
            ])
    }

    private static func whole(_ name: String, kind: String = "NetworkPolicy") -> String {
        "apiVersion: networking.k8s.io/v1\nkind: \(kind)\nmetadata: {name: \(name), namespace: shop}\n"
            + "spec:\n  podSelector: {matchLabels: {app: \(name)}}\n"
    }

    @Test("objects without the line --- between them: each policy isolates whom it selects")
    func withoutSeparator() {
        let words = { (name: String) in "NetworkPolicy shop/\(name): shop app=\(name) in" }
        #expect(
            isolated(Self.whole("a") + Self.whole("b") + Self.whole("c"))
                == [words("a"), words("b"), words("c")].map { $0 + "out" })
        // Neither the first nor the last, and beside one with other keys.
        let mixed =
            "kind: ConfigMap\nmetadata: {name: x}\ndata: {}\n" + Self.whole("a")
            + "kind: Service\nmetadata: {name: y}\n" + Self.whole("b")
        let found = isolated(mixed)
        #expect(found.contains(words("a") + "out") && found.contains(words("b") + "out"))
        // What is no YAML before it hides nothing, nor does something longer than what is looked into.
        #expect(isolated(Self.whole("a") + "  ingress: [\n" + Self.whole("b")).contains(words("b") + "out"))
        let long = Self.whole("a", kind: "ConfigMap") + "data: {x: \(String(repeating: "x", count: 1 << 20))}\n"
        #expect(isolated(long + Self.whole("b")).contains(words("b") + "out"))
        // What is no YAML behind it takes nothing off.
        #expect(isolated(Self.whole("a") + Self.whole("b") + "  ingress: [").contains(words("b") + "out"))
    }

    @Test("each value of a repeated key counts, wherever it is")
    func repeated() {
        let b = "spec:\n  podSelector: {matchLabels: {app: b}}\n"
        #expect(
            Set(isolated(Self.whole("a") + b)) == [
                "NetworkPolicy shop/a: shop app=a inout", "NetworkPolicy shop/a: shop app=b inout",
            ])
        #expect(
            isolated(Self.whole("a") + "  podSelector: {matchLabels: {app: b}}\n").contains(
                "NetworkPolicy shop/a: shop app=b inout"))
        #expect(
            isolated(Self.whole("a") + "metadata: {name: a, namespace: other}\n").contains(
                "NetworkPolicy other/a: other app=a inout"))
        #expect(
            isolated(Self.whole("a", kind: "Service") + "kind: NetworkPolicy\n").contains(
                "NetworkPolicy shop/a: shop app=a inout"))
        let item =
            "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: a, namespace: shop}, spec: {podSelector: {}, podSelector: {matchLabels: {app: b}}}}"
        #expect(
            isolated("apiVersion: v1\nkind: List\nitems:\n- \(item)\n").contains(
                "NetworkPolicy shop/a: shop app=b inout"))
    }

    @Test(
        "repeated keys that select nobody cost nothing, and of too many values that do the policy isolates its namespace"
    )
    func manyRepeats() {
        let nothing = Self.whole("a") + String(repeating: "  k: 1\n", count: 100_000)
        let start = ContinuousClock.now
        #expect(isolated(nothing) == ["NetworkPolicy shop/a: shop app=a inout"])
        // Reading it 64 times takes minutes.
        #expect(ContinuousClock.now - start < .seconds(30))
        let all = "NetworkPolicy shop/a: shop  inout"
        func selecting(_ count: Int) -> String {
            Self.whole("a") + (0..<count).map { "  podSelector: {matchLabels: {app: v\($0)}}\n" }.joined()
        }
        #expect(isolated(selecting(64)).contains(all))
        #expect(!isolated(selecting(63)).contains(all))
        // Few, but of a long document.
        #expect(isolated(selecting(30) + "x: \(String(repeating: "x", count: 1 << 19))\n").contains(all))
    }

    @Test(
        "the dry run isolates the same pods",
        arguments: [
            "", "spec:\n  podSelector: {matchLabels: {app: b}}\n",
            "kind: NetworkPolicy\nmetadata: {name: b, namespace: shop}\nspec: {podSelector: {matchLabels: {app: b}}}\n",
        ])
    func dryRun(more: String) {
        let broken = head + "spec:\n  podSelector: {}\n" + (more.isEmpty ? "  ingress: [" : more)
        var decoder = ManifestDecoder()
        decoder.add(Array(broken.utf8), file: "a.yaml")
        let decoded = decoder.finish()
        let agent = ManifestFile(decoding: Array(broken.utf8), file: "a.yaml")
        #expect(Set(PolicyLowering.lowerRefused(decoded.refused)) == Set(agent.refused.flatMap(\.isolating)))
        #expect(!decoded.refused.isEmpty)
    }

    @Test("JSON that breaks off is read the same way")
    func json() {
        let text = """
            {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": "web", "namespace": "shop"},
             "spec": {"podSelector": {"matchLabels": {"app": "web"}}, "ingress": [
            """
        #expect(isolated(text, file: "a.json") == ["NetworkPolicy shop/web: shop app=web inout"])
    }

    @Test("a policy without a readable name is isolated under the name of its place, and its file said to be broken")
    func nameless() {
        var folder = TrackedFolder(["ok.yaml": TrackedFolder.policy("ok")])
        folder.write("new.yaml", head.replacing("  name: web\n", with: "") + "spec:\n  podSelector: {}\n  ingress: [")
        folder.look()
        #expect(folder.refused.keys.map(\.name) == ["at f.yaml:1:1"])
        #expect(folder.severe.map(\.kind) == [.brokenFile])
        #expect(
            folder.severe[0].message.contains("whom NetworkPolicy shop/at f.yaml:1:1 can be seen to select is isolated")
        )
        folder.write("new.yaml", "kind: NetworkPolicy\nspec: [")
        folder.look()
        #expect(folder.refused.keys.map(\.name) == ["at f.yaml:1:1"])
        #expect(folder.severe[0].message.contains("whom NetworkPolicy shop/at f.yaml:1:1 selected stays isolated"))
        folder = TrackedFolder(["new.yaml": "kind: NetworkPolicy\nspec: ["])
        #expect(folder.refused == [:])
        #expect(folder.severe[0].message.contains("nothing is known of its objects, so none of them is in force"))
    }

    @Test("bytes of any kind, cut anywhere, neither hang nor give an object that is taken for good")
    func any() {
        let text = head + "spec:\n  podSelector: {matchLabels: {app: web}}\n  ingress: &a [*a, {from: [\n"
        for length in 0...text.utf8.count {
            let content = ManifestFile(decoding: Array(text.utf8.prefix(length)) + [0xff, 0x5b], file: "a.yaml")
            #expect(content.objects == [])
        }
        let deep = ManifestFile(
            decoding: Array((head + "spec:\n  podSelector: {}\n  x: " + String(repeating: "[", count: 200_000)).utf8),
            file: "a.yaml")
        #expect(deep.refused.map(\.key.name) == ["web"])
    }
}
