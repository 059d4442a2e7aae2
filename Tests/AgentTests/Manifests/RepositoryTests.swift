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
            "b.yaml": Self.policy("b"),
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
