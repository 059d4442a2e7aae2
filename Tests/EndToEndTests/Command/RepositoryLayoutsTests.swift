import Foundation
import Testing

/// Repositories in the layouts that people use, with everything that lint says of each.
@Suite("netpold lint of whole repositories")
struct RepositoryLayoutsTests {
    struct Layout: Sendable, CustomStringConvertible {
        var description: String
        var files: [String: String]
        /// `file:line id`, in the order reported.
        var findings: [String]
        var code: Int32
    }

    private static func policy(_ name: String, _ namespace: String? = nil, label: String = "app: web") -> String {
        """
        apiVersion: networking.k8s.io/v1
        kind: NetworkPolicy
        metadata: {name: \(name)\(namespace.map { ", namespace: \($0)" } ?? "")}
        spec:
          podSelector: {matchLabels: {\(label)}}
          policyTypes: [Ingress]
        """
    }

    private static func deployment(_ namespace: String? = nil) -> String {
        """
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: web\(namespace.map { ", namespace: \($0)" } ?? "")}
        spec:
          selector: {matchLabels: {app: web}}
          template: {metadata: {labels: {app: web}}, spec: {containers: [{name: c, image: x}]}}
        """
    }

    private static let namespace = "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n"

    static let layouts = [
        Layout(
            description: "Flux: clusters, apps, infrastructure",
            files: [
                "clusters/live/apps.yaml": """
                apiVersion: kustomize.toolkit.fluxcd.io/v1
                kind: Kustomization
                metadata: {name: apps, namespace: flux-system}
                spec: {path: ./apps/live, prune: true, interval: 5m}
                """,
                "apps/base/web/kustomization.yaml":
                    "namespace: shop\nresources: [namespace.yaml, web.yaml, policy.yaml]\n",
                "apps/base/web/namespace.yaml": namespace, "apps/base/web/web.yaml": deployment(),
                "apps/base/web/policy.yaml": policy("web"),
                "apps/live/kustomization.yaml": "resources: [../base/web]\n",
                "infrastructure/release.yaml": """
                apiVersion: helm.toolkit.fluxcd.io/v2
                kind: HelmRelease
                metadata: {name: redis, namespace: shop}
                spec: {values: {a: "${SECRET}"}}
                """,
                ".github/workflows/ci.yaml": "on: [push]\njobs: {a: {steps: [{run: \"${{ github.ref }}\"}]}}\n",
                "renovate.json": #"{"extends": ["x"]}"#,
            ], findings: [], code: 0),
        Layout(
            description: "Argo CD: one application beside others, a folder for each stage",
            files: [
                "apps/web.yaml": """
                apiVersion: argoproj.io/v1alpha1
                kind: Application
                metadata: {name: web, namespace: argocd}
                spec: {source: {path: web/live}, destination: {namespace: shop}}
                """,
                "web/base/kustomization.yaml": "resources: [policy.yaml]\n", "web/base/policy.yaml": policy("web"),
                "web/live/kustomization.yaml":
                    "namespace: live\nresources: [../base]\npatches: [{path: patch.yaml}]\n",
                "web/live/patch.yaml":
                    "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: web}\nspec: {ingress: []}",
                "web/test/kustomization.yaml": "namespace: test\nresources: [../base]\n",
            ],
            findings: ["web/live/kustomization.yaml:1 kustomization", "web/test/kustomization.yaml:1 kustomization"],
            code: 1),
        Layout(
            description: "a Helm chart, with its values, helpers and tests",
            files: [
                "Chart.yaml": "apiVersion: v2\nname: web\nversion: 1.0.0\n",
                "values.yaml": "replicas: 2\npolicy: {enabled: true}\n",
                "values.schema.json": #"{"type": "object"}"#, "templates/_helpers.tpl": "{{- define \"a\" }}{{ end }}",
                "templates/policy.yaml": "{{- if .Values.policy.enabled }}\n" + policy("{{ .Release.Name }}")
                    + "\n{{- end }}\n",
                "templates/deployment.yaml":
                    "kind: Deployment\nmetadata:\n  labels:\n    {{- include \"a\" . | nindent 4 }}\n",
                "ci/values.yaml": "[]\n",
            ], findings: ["templates/policy.yaml:1 unrendered-template"], code: 1),
        Layout(
            description: "a monorepo: code, dashboards, several services",
            files: [
                "docker-compose.yml": "services: {web: {image: x}}\n", "mkdocs.yml": "x: !!python/name:a.b\n",
                "grafana/board.json": #"{"panels": [{"title": "NetworkPolicy"}]}"#,
                "openapi.yaml": "openapi: 3.0.0\npaths: {}\n",
                "web/k8s/all.yaml": namespace + "---\n" + deployment("shop") + "\n---\n" + policy("web", "shop"),
                "api/k8s/all.yaml": namespace + "---\n" + policy("api", "shop", label: "app: wbe"),
            ], findings: ["api/k8s/all.yaml:9 selects-nothing"], code: 1),
        Layout(
            description: "plain manifests, with mistakes",
            files: [
                "a.yaml": policy("a", "shop").replacing("podSelector", with: "podSelecter"),
                "b.yaml": policy("b", "shop"),
                "c.yaml": policy("b", "shop"),
            ], findings: ["a.yaml:5 unknown-field", "c.yaml:1 duplicate-object"], code: 2),
    ]

    private struct Finding: Decodable {
        let id: String
        let file: String
        let line: Int
    }

    private struct Report: Decodable {
        let findings: [Finding]
    }

    @Test("everything that is expected is found, and nothing else", arguments: layouts)
    func findings(_ layout: Layout) throws {
        let root = FileManager.default.temporaryDirectory.appending(path: "layout-\(UUID().uuidString)").path()
        defer { try? FileManager.default.removeItem(atPath: root) }
        for (name, text) in layout.files {
            let file = URL(filePath: "\(root)/\(name)")
            try FileManager.default.createDirectory(
                at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            try text.write(to: file, atomically: false, encoding: .utf8)
        }
        let run = try BuiltNetpold.run(["lint", root, "--format", "json"])
        let found = try JSONDecoder().decode(Report.self, from: Data(run.output.utf8)).findings
        #expect(found.map { "\($0.file.dropFirst(root.count + 1)):\($0.line) \($0.id)" } == layout.findings)
        #expect(run.code == layout.code, "\(run.errors)")
    }
}
