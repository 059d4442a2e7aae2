import Testing

@testable import PolicyAPI

@Suite("Standard input is read document by document, a List item by item")
struct DocumentPagesTests {
    private static func policy(_ name: String, selector: String = "{}") -> String {
        """
        - apiVersion: networking.k8s.io/v1
          kind: NetworkPolicy
          metadata:
            annotations:
              note: |
                - kind: NetworkPolicy
                items:
            name: \(name)
            namespace: shop
          spec:
            podSelector: \(selector)

        """
    }

    private static func list(_ items: String) -> String {
        "apiVersion: v1\nitems:\n\(items)kind: List\nmetadata:\n  resourceVersion: \"\"\n"
    }

    private func read(_ text: String, asStream: Bool) -> DecodedManifests {
        var decoder = ManifestDecoder(keepsDocuments: true, readsWorkloads: true, isOfRepository: true)
        if asStream { decoder.add(stream: Array(text.utf8)) } else { decoder.add(Array(text.utf8), file: "-") }
        return decoder.finish()
    }

    @Test(
        "the same objects in the same places, and the same errors, as read at once",
        arguments: [
            list(policy("a") + policy("b", selector: "{matchLabels: {a: 1}}") + policy("c")),
            "---\n" + list(policy("a")) + "---\n" + list(policy("b") + "# a remark\n\n" + policy("b")),
            "apiVersion: v1\nkind: List\nitems:\n" + policy("a") + policy("b"),
            "a: 1\n---\nkind: NetworkPolicy\n...\n" + list(policy("z")),
            "apiVersion: v1\nkind: List\nitems: []\n", "apiVersion: v1\nkind: List\nitems:\n  - kind: Pod\n",
            "[1, 2]\n", "",
        ])
    func same(_ text: String) {
        let (whole, stream) = (read(text, asStream: false), read(text, asStream: true))
        #expect(stream.diagnostics == whole.diagnostics)
        #expect(stream.objects.networkPolicies == whole.objects.networkPolicies)
        #expect(stream.objectCount == whole.objectCount && stream.refused == whole.refused)
        #expect(stream.otherDocuments == whole.otherDocuments)
    }

    @Test("what goes on behind a dash at the left edge is an error of its item, and no item is taken for another")
    func quoted() {
        let items = Self.policy("a").replacing("name: a", with: "name: \"a\n- kind: NetworkPolicy\"") + Self.policy("b")
        let stream = read(Self.list(items), asStream: true)
        #expect(stream.diagnostics.contains { $0.id == .syntax })
        #expect(stream.objects.networkPolicies.map(\.metadata.name) == ["b"])
    }

    @Test("a placeholder in one item says nothing of the others: their errors and refusals stay")
    func placeholders() {
        let board =
            "- apiVersion: v1\n  kind: ConfigMap\n  metadata: {name: x}\n  data: {a: \"{{ $labels.pod }} NetworkPolicy\"}\n"
        let stream = read(Self.list(board + Self.policy("a", selector: "1")), asStream: true)
        #expect(stream.diagnostics.map(\.id) == [.wrongType])
        #expect(stream.refused.count == 1)
    }

    @Test("more than a file may have is read; more than standard input may have is not")
    func limits() {
        let item =
            "- apiVersion: v1\n  kind: ConfigMap\n  metadata: {name: x}\n  data: {a: \(String(repeating: "x", count: 1 << 20))}\n"
        let stream = read(Self.list(String(repeating: item, count: 17) + Self.policy("a")), asStream: true)
        #expect(stream.diagnostics.isEmpty && stream.objectCount == 18)
        var decoder = ManifestDecoder()
        decoder.add(stream: [UInt8](repeating: UInt8(ascii: "\n"), count: DocumentLimits.streamBytes + 1))
        #expect(decoder.finish().diagnostics.map(\.id) == [.limit])
    }

    @Test("aliases are counted over the whole of it")
    func aliases() {
        let bomb = "---\na: &a [x, x]\nb: [\(String(repeating: "*a, ", count: 600))]\n"
        #expect(read(bomb + bomb, asStream: true).diagnostics.map(\.id) == [.limit])
    }
}
