import PolicyAPI
import Testing

@testable import Agent

@Suite struct ManifestFileTests {
    private func decode(_ text: String) -> ManifestFile { ManifestFile(decoding: Array(text.utf8), file: "a.yaml") }

    private func policy(_ name: String, field: String = "podSelector") -> String {
        """
        apiVersion: networking.k8s.io/v1
        kind: NetworkPolicy
        metadata: {name: \(name), namespace: shop}
        spec:
          \(field): {matchLabels: {app: web}}
          policyTypes: [Ingress]

        """
    }

    @Test("one bad policy is refused with its name and an isolating policy; the others are taken")
    func refusedPolicy() throws {
        let bad = policy("bad") + "  surprise: 1\n"
        let file = decode(policy("one") + "---\n" + bad + "---\n" + policy("two"))
        #expect(file.objects.map(\.metadata.name) == ["one", "two"])
        #expect(file.unreadable.isEmpty)
        let refused = try #require(file.refused.first)
        #expect(refused.key == ObjectKey(kind: "NetworkPolicy", namespace: "shop", name: "bad"))
        #expect(refused.diagnostics.map(\.path) == ["spec.surprise"])
        #expect(refused.diagnostics.map(\.location?.file) == ["a.yaml"])
        #expect(refused.origin == .manifest(SourceLocation(file: "a.yaml", line: 8, column: 1)))
        #expect(refused.isolating.map { $0.ingress?.isolates } == [true])
    }

    @Test("a bad pod is refused by name, so that its last good version can stay")
    func refusedPod() {
        let file = decode(
            """
            apiVersion: v1
            kind: Pod
            metadata: {name: web, namespace: shop}
            status: {podIPs: [{ip: 10.0.0.400}]}
            """)
        #expect(file.refused.map(\.key) == [ObjectKey(kind: "Pod", namespace: "shop", name: "web")])
        #expect(file.objects.isEmpty)
    }

    @Test("items of a list are objects of their own")
    func list() {
        let file = decode(
            """
            apiVersion: v1
            kind: List
            items:
            - {apiVersion: v1, kind: Pod, metadata: {name: a, namespace: shop, labels: [1]}}
            - {apiVersion: v1, kind: Pod, metadata: {name: b, namespace: shop}}
            """)
        #expect(file.refused.map(\.key.name) == ["a"])
        #expect(file.objects.map(\.metadata.name) == ["b"])
    }

    @Test("text that is not YAML, and documents that are not objects, leave the file unreadable in part")
    func unreadable() {
        #expect(!decode("a: [1, 2").unreadable.isEmpty)
        let mixed = decode(policy("one") + "---\njust a sentence\n")
        #expect(mixed.objects.map(\.metadata.name) == ["one"])
        #expect(mixed.unreadable.count == 1)
    }

    @Test("a manifest cut short at any byte never takes away what was in force")
    func truncation() {
        let text = policy("one") + "---\n" + policy("two")
        var store = FolderStore(onRefused: .isolate)
        for length in stride(from: 0, to: text.utf8.count, by: 7) {
            store.absorb(["a.yaml": decode(text)])
            let cut = ManifestFile(decoding: Array(text.utf8.prefix(length)), file: "a.yaml")
            // A cut between two documents is a smaller file that nothing tells from a whole one.
            guard !cut.unreadable.isEmpty || !cut.refused.isEmpty else { continue }
            store.absorb(["a.yaml": cut])
            let inForce = store.objects.networkPolicies.map(\.metadata.name)
            #expect(inForce.contains("one") || cut.objects.isEmpty && cut.unreadable.isEmpty, "cut at \(length)")
        }
    }
}
