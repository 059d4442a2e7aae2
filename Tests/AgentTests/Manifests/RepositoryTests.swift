import Foundation
import PolicyAPI
import Testing

@testable import Agent

/// Repositories as people keep them: kustomizations, templates, and YAML that is meant for nobody's cluster.
@Suite("Manifests of a repository")
struct RepositoryTests {
    /// A folder of files, gone with the value.
    private final class Tree {
        let path = FileManager.default.temporaryDirectory.appending(path: "repository-\(UUID().uuidString)").path()

        init(_ files: [String: String]) throws {
            for (name, text) in files {
                let file = URL(filePath: "\(path)/\(name)")
                try FileManager.default.createDirectory(
                    at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
                try text.write(to: file, atomically: false, encoding: .utf8)
            }
        }

        deinit { try? FileManager.default.removeItem(atPath: path) }

        func load(_ folders: [String] = [""], excluded: [String] = []) -> LoadedManifests {
            ManifestFiles.load(
                ManifestChoice(paths: folders.map { $0.isEmpty ? path : "\(path)/\($0)" }, excluded: excluded))
        }
    }

    private static func policy(_ name: String, namespace: String? = nil) -> String {
        """
        apiVersion: networking.k8s.io/v1
        kind: NetworkPolicy
        metadata: {name: \(name)\(namespace.map { ", namespace: \($0)" } ?? "")}
        spec: {podSelector: {}}
        """
    }

    private func policies(_ loaded: LoadedManifests) -> [String] {
        loaded.decoded.objects.networkPolicies.map { "\($0.metadata.namespace)/\($0.metadata.name)" }.sorted()
    }

    @Test("a kustomization that sets the namespace alone is followed, for all kinds that have one")
    func namespaceAlone() throws {
        let tree = try Tree([
            "kustomization.yaml": "resources: [a.yaml, inner]\nnamespace: shop\nimages: [{name: x, newTag: \"2\"}]\n",
            "a.yaml": Self.policy("a", namespace: "elsewhere")
                + "\n---\napiVersion: v1\nkind: Node\nmetadata: {name: n}\n---\napiVersion: v1\nkind: Namespace\nmetadata: {name: x}",
            "inner/kustomization.yaml": "resources: [b.yaml]\n", "inner/b.yaml": Self.policy("b"),
            "other.yaml": Self.policy("c"),
        ])
        let loaded = tree.load()
        #expect(policies(loaded) == ["default/c", "shop/a", "shop/b"])
        #expect(loaded.decoded.objects.namespaces.map(\.metadata.name) == ["shop"])
        #expect(loaded.decoded.objects.nodes.map(\.metadata.name) == ["n"])
        #expect(loaded.decoded.diagnostics.isEmpty && !loaded.isAsWritten)
    }

    @Test(
        "one that changes more leaves its files out, and says which -k reads them",
        arguments: [
            "namePrefix: a-", "nameSuffix: -a", "labels: [{pairs: {a: b}}]", "commonLabels: {a: b}",
            "patches: [{path: p.yaml}]", "patchesStrategicMerge: [p.yaml]", "components: [c]",
            "replacements: [{path: r}]",
            "transformers: [t.yaml]",
        ])
    func changed(_ field: String) throws {
        let tree = try Tree([
            "base/kustomization.yaml": "resources: [a.yaml]\nnamespace: shop\n\(field)\n",
            "base/a.yaml": Self.policy("a"),
            // A patch is no object, whatever it lacks.
            "base/p.yaml":
                "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: a}\nspec: {ingres: []}",
            "base/c/kustomization.yaml": "kind: Component\n", "b.yaml": Self.policy("b"),
        ])
        let loaded = tree.load()
        let isPatch = field.contains("p.yaml")
        #expect(policies(loaded) == ["default/b"])
        let warnings = loaded.decoded.diagnostics.filter { $0.id == .kustomization }
        #expect(
            warnings.count == 1 && warnings[0].isAboutLeftOut
                && warnings[0].hint == "read what it makes: -k \(tree.path)/base")
        #expect(loaded.decoded.diagnostics.contains { $0.severity == .error } == !isPatch)
    }

    @Test("two overlays of one base are no duplicates: what each makes is another object")
    func overlays() throws {
        let tree = try Tree([
            "base/kustomization.yml": "resources:\n- a.yaml\n", "base/a.yaml": Self.policy("a"),
            "one/kustomization.yaml": "resources: [../base, extra.yaml]\nnamespace: one\n",
            "one/extra.yaml": Self.policy("e"),
            "two/Kustomization": "resources: [../base, extra.yaml]\nnamespace: two\n",
            "two/extra.yaml": Self.policy("e"),
        ])
        let loaded = tree.load()
        #expect(policies(loaded) == ["one/e", "two/e"])
        #expect(loaded.decoded.diagnostics.map(\.id) == [.kustomization, .kustomization])
        // Alone, without the overlays that change it, the base is what it says.
        #expect(policies(tree.load(["base"])) == ["default/a"])
        #expect(policies(tree.load(["base", "one"])) == ["one/a", "one/e"])
        #expect(tree.load(["base", "one"]).decoded.diagnostics.isEmpty)
    }

    @Test(
        "what a kustomization takes, or makes, that is not among the files is a warning with its place",
        arguments: [
            ("resources: [a.yaml, ../base]", "1:21", "/base, not among the files"),
            ("resources: [a.yaml, gone.yaml]", "1:21", "/over/gone.yaml, not among the files"),
            ("resources: [a.yaml]\nbases:\n- ../base", "3:3", "/base, not among the files"),
            ("components: [../base]", "1:14", "/base, not among the files"),
            (
                "resources: [a.yaml, 'https://x.example/y.yaml']", "1:21",
                "it takes https://x.example/y.yaml, which is elsewhere"
            ),
            ("resources: [a.yaml]\nhelmCharts: [{name: x}]", "2:1", "it has helmCharts: the objects"),
            ("resources: [a.yaml]\nhelmChartInflationGenerator: [{chartName: x}]", "2:1", "InflationGenerator: the"),
            ("resources: [a.yaml]\ngenerators: [g.yaml]", "2:1", "it has generators: the objects"),
            ("resourcez: [../base]", "1:1", "kustomize has no field resourcez (did you mean resources?)"),
            ("resources: ../base", "1:12", "`resources` is no list of paths"),
            ("resources: [{a: b}]", "1:13", "`resources` has a map for a path"),
            ("- ../base", "1:1", "it is a list, not a map of fields"),
            ("resources: [a.yaml]\n---\nresources: [../base]", "3:1", "it has several documents"),
        ])
    func unread(_ text: String, _ place: String, _ message: String) throws {
        let tree = try Tree([
            "over/kustomization.yaml": text, "over/a.yaml": "apiVersion: v1\nkind: Namespace\nmetadata: {name: a}\n",
            "base/kustomization.yaml": "resources: [p.yaml]\n", "base/p.yaml": Self.policy("p"),
        ])
        let loaded = tree.load(["over"])
        let warnings = loaded.decoded.diagnostics.filter(\.isAboutLeftOut)
        #expect(warnings.count == 1 && policies(loaded).isEmpty)
        #expect(warnings.first.map { "\($0.location.map { "\($0)" } ?? "")".hasSuffix(":\(place)") } == true)
        #expect(warnings.first?.message.contains(message) == true, "\(warnings)")
        #expect(warnings.first?.hint == "read what it makes: -k \(tree.path)/over")
        #expect(ManifestFiles.isKustomized("\(tree.path)/over") == !text.contains("gone.yaml"))
    }

    @Test(
        "what is read by another name, or that somebody does not want, is not missed; nor is what no policy asks about")
    func readElsewhere() throws {
        let tree = try Tree([
            "over/kustomization.yaml":
                "resources: [../base, inner, real.yaml, ./x/../no.yaml]\nconfigMapGenerator: [{name: a}]\ngenerators: []\n",
            "over/inner/p.yaml": Self.policy("i"), "over/no.yaml": Self.policy("n"),
            "base/kustomization.yaml": "resources: [p.yaml]\n", "base/p.yaml": Self.policy("p"),
        ])
        try FileManager.default.createSymbolicLink(
            atPath: "\(tree.path)/over/real.yaml", withDestinationPath: "../base/p.yaml")
        try FileManager.default.createSymbolicLink(atPath: "\(tree.path)/again", withDestinationPath: "base")
        let loaded = tree.load(["over", "again"], excluded: ["no.yaml"])
        #expect(policies(loaded) == ["default/i", "default/p"])
        #expect(loaded.decoded.diagnostics.isEmpty, "\(loaded.decoded.diagnostics)")
        #expect(!ManifestFiles.isKustomized("\(tree.path)/over", beside: ["\(tree.path)/base"]))
        #expect(ManifestFiles.isKustomized("\(tree.path)/over"))
    }

    @Test("what is no text, too deep, or a list of policies is an error; a named file must hold an object")
    func unreadable() throws {
        func utf16(_ text: String) -> Data {
            Data([0xff, 0xfe]) + text.utf16.flatMap { [UInt8($0 & 0xff), UInt8($0 >> 8)] }
        }
        let contents: [(Data, DiagnosticID)] = [
            (utf16(Self.policy("a")), .syntax), (Data([0x1f, 0x8b, 8, 0, 0xff]), .syntax),
            (Data([0x61, 0, 0x62, 0]), .syntax), (Data(String(repeating: "[", count: 5000).utf8), .limit),
            (Data("apiVersion: networking.k8s.io/v1\nfoo: [".utf8), .syntax),
            (
                Data("- apiVersion: networking.k8s.io/v1\n  kind: NetworkPolicy\n  metadata: {name: a}\n".utf8),
                .notAnObject
            ),
        ]
        for (bytes, id) in contents {
            let tree = try Tree(["b.yaml": Self.policy("b")])
            try bytes.write(to: URL(filePath: "\(tree.path)/a.yaml"))
            #expect(tree.load().decoded.diagnostics.map(\.id) == [id], "\(bytes.prefix(40))")
        }
        for text in ["<html>404</html>", "Error: chart not found", "foo: [", "a: b\n---\nc: d\n"] {
            let tree = try Tree(["a.yaml": text, "b.yaml": Self.policy("b")])
            #expect(tree.load(["a.yaml"]).decoded.diagnostics.map(\.id) == [.emptyInput], "\(text)")
            #expect(tree.load().decoded.diagnostics.isEmpty, "\(text)")
        }
    }

    @Test("what is no object is counted, also where it cannot be read; what may be a policy is an error")
    func others() throws {
        let tree = try Tree([
            "values.yaml": "replicas: 3\npolicies: [a]\n", "Chart.yaml": "apiVersion: v2\nname: x\n",
            "list.json": "[1, 2]", "dashboard.json": #"{"panels": []}"#, "mkdocs.yml": "x: !!python/name:a.b\n",
            "patch.yaml": "apiVersion: v1\nkind: Pod\nmetadata: {name: _}\n", "a.yaml": Self.policy("a"),
        ])
        let loaded = tree.load()
        #expect(loaded.decoded.diagnostics.isEmpty && policies(loaded) == ["default/a"])
        #expect(loaded.decoded.skippedSummary == "skipped 6 documents without apiVersion and kind")
        for text in [
            "kind: NetworkPolicy\nmetadata: {name: a}\nspec: {podSelector: {}}",
            "apiVersion: networking.k8s.io/v1\nmetadata: {name: a}\nspec: {podSelector: {}, policyTypes: [Ingress]}",
            "metadata: {name: a}\nspec: {endpointSelector: {}, ingress: [{}]}", "kind: NetworkPolicie\nspec: {}",
            "items: [{kind: NetworkPolicy}]", "kind: [NetworkPolicy",
        ] {
            let broken = try Tree(["a.yaml": text])
            #expect(broken.load().decoded.hasErrors, "\(text)")
        }
    }

    @Test("a template is one warning a file if it has policies, else it is counted")
    func templates() throws {
        let tree = try Tree([
            "helm.yaml": "{{- if .Values.on }}\n" + Self.policy("{{ .Release.Name }}-a") + "\n{{- end }}\n",
            "flux.yaml": Self.policy("a", namespace: "${NAMESPACE}") + "\n---\n" + Self.policy("${NAME}")
                + "\n---\n" + Self.policy("good"),
            "deployment.yaml": "kind: Deployment\nmetadata:\n  name: {{ .Values.name }}\n",
            // Braces in an object that is read without error are its own affair.
            "rule.yaml":
                "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata: {a: \"{{ $labels.pod }} NetworkPolicy\"}",
        ])
        let loaded = tree.load()
        let found = loaded.decoded.diagnostics
        #expect(found.map(\.id) == [.unrenderedTemplate, .unrenderedTemplate], "\(found)")
        #expect(
            found.map { "\($0.location.map { "\($0)" } ?? "")".dropFirst(tree.path.count + 1) } == [
                "flux.yaml:3:32", "helm.yaml:1:1",
            ])
        #expect(policies(loaded) == ["default/good"])
        #expect(loaded.decoded.refused.isEmpty && loaded.decoded.skipped["unrendered template"] == 1)
    }

    @Test("what no policy is enforced by may be declared twice")
    func duplicates() throws {
        let space = "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop, labels: {a: b}}\n"
        let tree = try Tree([
            "a.yaml": space, "b.yaml": space, "c.yaml": space.replacing("a: b", with: "a: c"),
            "p.yaml": Self.policy("p"),
            "q.yaml": Self.policy("p"), "r.yaml": Self.policy("p").replacing("{}}", with: "{}, policyTypes: [Egress]}"),
        ])
        let loaded = tree.load()
        #expect(loaded.decoded.objects.namespaces.count == 1)
        #expect(loaded.decoded.diagnostics.map(\.severity) == [.warning, .warning, .error])
        #expect(loaded.decoded.objects.networkPolicies.isEmpty && loaded.decoded.refused.count == 2)
        #expect(loaded.decoded.diagnostics.first?.message.hasSuffix("with other labels") == true)
    }

    @Test(
        "--exclude and .netpoldignore pass over names, paths and folders",
        arguments: [
            (["b.yaml"], ["a", "c"]), (["deep"], ["a", "b"]), (["deep/"], ["a", "b"]),
            (["deep/er/*.yaml"], ["a", "b"]),
            (["*/c.yaml"], ["a", "b", "c"]), (["**/c.yaml"], ["a", "b"]), (["/deep"], ["a", "b"]), (["*.yaml"], []),
            (["?.yml"], ["a", "b", "c"]), (["# b.yaml"], ["a", "b", "c"]),
        ])
    func excluded(_ patterns: [String], _ left: [String]) throws {
        let files = [
            "a.yaml": Self.policy("a"), "b.yaml": Self.policy("b"), "deep/er/c.yaml": Self.policy("c"),
        ]
        let tree = try Tree(files)
        #expect(policies(tree.load(excluded: patterns)) == left.map { "default/\($0)" })
        let ignoring = try Tree(files.merging([".netpoldignore": patterns.joined(separator: "\n") + "\n"]) { $1 })
        #expect(policies(ignoring.load()) == left.map { "default/\($0)" })
        // What is named itself is read.
        #expect(policies(ignoring.load(["b.yaml"])) == ["default/b"])
    }
}
