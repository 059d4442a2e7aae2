import Foundation
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

    /// As `kubectl get -o json` writes it, and as `jq -c` makes of it.
    private static func jsonList(_ names: [String], indent: Bool, selector: String = #"{"podSelector": {}}"#) -> String
    {
        let items = names.map {
            #"{"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy","# + (indent ? "\n            " : "")
                + #""metadata": {"name": "\#($0)", "namespace": "shop", "annotations": {"a": "[{\"items\":["}},"#
                + (indent ? "\n            " : "") + #""spec": \#(selector)}"#
        }
        let (line, deep) = indent ? ("\n    ", "\n        ") : ("", "")
        return "{\(line)\"apiVersion\": \"v1\",\(line)\"items\": [\(deep)" + items.joined(separator: ",\(deep)")
            + "\(line)],\(line)\"kind\": \"List\",\(line)\"metadata\": {\"resourceVersion\": \"\"}\(indent ? "\n" : "")}\n"
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
            jsonList(["a", "b"], indent: true), jsonList(["a", "a"], indent: false), jsonList([], indent: true),
            // Two lists of one stream, a document behind one, and what is no List.
            jsonList(["a"], indent: false) + "\n---\n" + jsonList(["b"], indent: true) + "---\nkind: NetworkPolicy\n",
            jsonList(["a"], indent: false) + jsonList(["b"], indent: false),
            jsonList(["a"], indent: false, selector: #"{"podSelector": 1}"#),
            jsonList(["a"], indent: true, selector: #"{"podSelector": {}, "mystery": "ä"}"#),
            jsonList(["a"], indent: true).replacing("\"List\"", with: "\"PodList\""),
            jsonList(["a", "b"], indent: true).replacing("\"items\"", with: "\"others\""),
            String(jsonList(["a", "b"], indent: true).dropLast(40)),
            // YAML in braces: of the list, and of an item alone.
            "{apiVersion: v1, kind: List, items: [{kind: Pod}]}\n",
            #"{"apiVersion": "v1", "kind": "List", "items": [{"kind": "NetworkPolicy", "apiVersion": networking.k8s.io/v1, 1: 2}]}"#,
            // Twice the same key: of the list.
            #"{"apiVersion": "v1", "kind": "List", "items": [], "items": []}"#,
            #"{"apiVersion": "v1", "kind": "List", "items": null, "items": [{"kind": "Pod", "apiVersion": "v1"}]}"#,
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
        // JSON, all in one line.
        let large = (0..<17).map {
            "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"c\($0)\"},\"data\":{\"a\":\""
                + String(repeating: "x", count: 1 << 20) + "\"}}"
        }
        let small =
            #"{"apiVersion":"networking.k8s.io/v1","kind":"NetworkPolicy","metadata":{"name":"a"},"spec":{"podSelector":{},"x":1}}"#
        let json =
            "{\"apiVersion\":\"v1\",\"items\":[" + (large + [small]).joined(separator: ",") + "],\"kind\":\"List\"}"
        let found = read(json, asStream: true)
        #expect(found.objectCount == 18 && found.diagnostics.map(\.id) == [.unknownField])
        let before = json.range(of: #""x":1"#).map { json.distance(from: json.startIndex, to: $0.lowerBound) } ?? 0
        #expect(found.diagnostics.first?.location == SourceLocation(file: "-", line: 1, column: before + 1))
        // Two of them, one behind the other as two calls of kubectl write them, read as one by one.
        let twice = read(
            json + "\n" + json.replacing("\"c", with: "\"d").replacing("\"a\"}", with: "\"b\"}"), asStream: true)
        #expect(twice.objectCount == 36 && twice.diagnostics.map(\.id) == [.unknownField, .unknownField])
        #expect(twice.diagnostics.map { $0.location?.line } == [1, 2])
        #expect(twice.diagnostics.last?.location?.column == found.diagnostics.first?.location?.column)
        // Cut off, and no List: nothing of it is read, with the reason.
        for (broken, reason) in [
            (String(json.dropLast(20)), "the list is cut off"),
            (json.replacing("\"List\"", with: "\"PodList\""), "its kind is another one"),
        ] {
            let found = read(broken, asStream: true)
            #expect(found.objectCount == 0 && found.diagnostics.map(\.id) == [.limit])
            #expect(found.diagnostics.first?.message.contains(reason) == true, "\(found.diagnostics)")
        }
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
