import Foundation
import PolicyAPI
import Support
import Testing

@testable import Agent

@Suite("The agent's folder with kustomizations: what cannot be told opens nothing")
struct KustomizedFolderTests {
    /// A folder and what a source has in force of it.
    private final class Folder {
        let scratch: ScratchFolder
        private let source: FolderSource
        private var store = ObjectStore(onRefused: .isolate)
        private(set) var conditions: [Condition] = []
        private(set) var refused: [RefusedObject] = []

        init(_ files: [String: String], lastGood: LastGoodFiles? = nil, at scratch: ScratchFolder? = nil) throws {
            self.scratch = try scratch ?? ScratchFolder()
            for (name, text) in files { try Folder.write(self.scratch, name, text) }
            source = try FolderSource(self.scratch.path, lastGood: lastGood, wait: .none)
            look()
        }

        private static func write(_ scratch: ScratchFolder, _ name: String, _ text: String) throws {
            if let slash = name.lastIndex(of: "/") {
                try FileManager.default.createDirectory(
                    atPath: scratch.file(String(name[..<slash])), withIntermediateDirectories: true)
            }
            try scratch.write(name, text)
        }

        func write(_ name: String, _ text: String) throws {
            try Folder.write(scratch, name, text)
            look()
        }

        func look() {
            let batch = source.reload(acceptEmpty: false)
            conditions = batch.conditions
            for event in batch.events { if case .refused(let object) = event { refused.append(object) } }
            _ = store.take(batch)
        }

        var policies: [String] {
            store.objects.networkPolicies.map { "\($0.metadata.namespace)/\($0.metadata.name)" }.sorted()
        }

        var severe: [Condition] { conditions.filter(\.isSevere) }

        /// Whom refused policies isolate: namespace and labels.
        var isolated: [String] {
            refused.flatMap(\.isolating).map { policy in
                guard case .pods(.named(let namespace), let selector) = policy.subject else {
                    return "\(policy.subject)"
                }
                return "\(namespace):" + selector.requirements.map { "\($0.key)=\($0.values.joined())" }.joined()
            }
        }
    }

    private static func policy(_ name: String, _ namespace: String? = nil) -> String {
        """
        apiVersion: networking.k8s.io/v1
        kind: NetworkPolicy
        metadata: {name: \(name)\(namespace.map { ", namespace: \($0)" } ?? "")}
        spec: {podSelector: {matchLabels: {app: web}}, ingress: [{}]}

        """
    }

    @Test("a namespace alone is followed; the kustomization and its patches are no objects")
    func namespaceAlone() throws {
        let folder = try Folder([
            "kustomization.yaml": "namespace: shop\nresources: [a.yaml, list.yaml]\n", "a.yaml": Self.policy("a"),
            "list.yaml": "apiVersion: v1\nkind: List\nitems:\n- "
                + Self.policy("b").replacing("\n", with: "\n  ") + "\n",
            "c.yaml": Self.policy("c"),
        ])
        #expect(folder.policies == ["default/c", "shop/a", "shop/b"])
        #expect(folder.conditions.isEmpty, "\(folder.conditions)")
        try folder.write("kustomization.yaml", "namespace: live\nresources: [a.yaml]\n")
        #expect(folder.policies == ["default/b", "default/c", "live/a"])
    }

    @Test("names that change: the policy is refused, whom it selects is isolated in the namespace it goes to, severely")
    func names() throws {
        let folder = try Folder([
            "kustomization.yaml": "namespace: shop\nnamePrefix: x-\nresources: [a.yaml]\n", "a.yaml": Self.policy("a"),
        ])
        #expect(folder.policies.isEmpty)
        #expect(folder.isolated == ["shop:app=web"])
        #expect(folder.severe.map(\.kind) == [.brokenFile])
        #expect(folder.severe.first?.message.contains("sets namespace shop and namePrefix") == true)
    }

    @Test(
        "labels and patches that change: everything in the namespace is isolated, for the selector may be another",
        arguments: [
            "commonLabels: {a: b}", "labels: [{pairs: {a: b}}]", "patches: [{path: p.yaml}]", "components: [c]",
        ])
    func selectors(_ field: String) throws {
        let folder = try Folder([
            "kustomization.yaml": "\(field)\nresources: [a.yaml]\n", "a.yaml": Self.policy("a", "shop"),
            // A patch is no object.
            "p.yaml": Self.policy("a", "shop"),
        ])
        // Where it is none, it says something else of the same policy.
        #expect(folder.policies.isEmpty)
        #expect(folder.isolated.contains("shop:"))
        #expect(folder.severe.contains { $0.kind == .brokenFile })
    }

    @Test("two overlays of one base: isolated in the namespaces of both")
    func overlays() throws {
        let folder = try Folder([
            "base/kustomization.yaml": "resources: [a.yaml]\n", "base/a.yaml": Self.policy("a"),
            "one/kustomization.yaml": "namespace: one\nresources: [../base]\n",
            "two/kustomization.yaml": "namespace: two\nresources: [../base]\n",
        ])
        #expect(folder.policies.isEmpty)
        #expect(Set(folder.isolated) == ["one:app=web", "two:app=web"])
    }

    @Test(
        "what a kustomization takes that is not in the folder is said, until it is there",
        arguments: ["../base", "deep", "https://x.example/y.yaml"])
    func elsewhere(_ taken: String) throws {
        let folder = try Folder([
            "kustomization.yaml": "resources: [a.yaml, '\(taken)']\n", "a.yaml": Self.policy("a", "shop"),
        ])
        #expect(folder.policies == ["shop/a"])
        #expect(folder.severe.map(\.kind) == [.brokenFile])
        #expect(folder.severe.first?.message.contains(taken == "deep" ? "/deep, not among" : "it takes") == true)
        guard taken == "deep" else { return }
        try folder.write("deep/b.yaml", Self.policy("b", "shop"))
        #expect(folder.policies == ["shop/a", "shop/b"])
        #expect(folder.conditions.isEmpty, "\(folder.conditions)")
    }

    @Test("a kustomization that is no YAML may change everything below it")
    func broken() throws {
        let folder = try Folder([
            "in/kustomization.yaml": "namespace: [shop\n", "in/deep/a.yaml": Self.policy("a", "shop"),
            "b.yaml": Self.policy("b", "shop"),
        ])
        #expect(folder.policies == ["shop/b"])
        #expect(folder.isolated == ["shop:"])
        #expect(folder.severe.count == 2, "\(folder.severe)")
    }

    @Test("a policy that was in force stays so when a kustomization begins to change it")
    func later() throws {
        let folder = try Folder(["a.yaml": Self.policy("a", "shop")])
        #expect(folder.policies == ["shop/a"])
        try folder.write("kustomization.yaml", "namePrefix: x-\nresources: [a.yaml]\n")
        #expect(folder.policies == ["shop/a"])
        #expect(folder.severe.contains { $0.kind == .brokenFile })
    }

    @Test("a broken policy of a namespace that a kustomization sets isolates there")
    func brokenPolicy() throws {
        let folder = try Folder([
            "kustomization.yaml": "namespace: shop\nresources: [a.yaml]\n",
            "a.yaml": Self.policy("a").replacing("ingress: [{}]}", with: "ingress: [{}}"),
        ])
        #expect(folder.policies.isEmpty)
        #expect(folder.isolated == ["shop:app=web"])
    }

    @Test("what is remembered for a restart is never read in another namespace")
    func restart() throws {
        let memory = try ScratchFolder()
        let first = try Folder(
            [
                "kustomization.yaml": "namespace: shop\nresources: [a.yaml]\n", "a.yaml": Self.policy("a"),
                "b.yaml": Self.policy("b"),
            ],
            lastGood: LastGoodFiles(folder: memory.file("good")))
        #expect(first.policies == ["default/b", "shop/a"])
        let second = try Folder(
            ["a.yaml": "kind: [", "b.yaml": "kind: ["], lastGood: LastGoodFiles(folder: memory.file("good")),
            at: first.scratch)
        // Of b it knows what it held; of a nobody says it was in default.
        #expect(second.policies == ["default/b"])
        #expect(second.severe.contains { $0.kind == .brokenFile })
    }

    @Test("workloads in a folder without pods are told to stand for none")
    func workloads() throws {
        let deployment =
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, namespace: shop}\nspec: {template: {metadata: {labels: {app: web}}}}\n"
        let folder = try Folder(["a.yaml": deployment + "---\n" + Self.policy("a", "shop")])
        #expect(folder.conditions.map(\.kind) == [.workloadsWithoutPods])
        #expect(
            folder.conditions.first?.message.contains("Deployment shop/web stands for no pods here") == true,
            "\(folder.conditions)")
        try folder.write(
            "b.yaml",
            "apiVersion: v1\nkind: Pod\nmetadata: {name: web-1, namespace: shop, labels: {app: web}}\nspec: {containers: []}\n"
        )
        #expect(folder.conditions.isEmpty, "\(folder.conditions)")
    }
}
