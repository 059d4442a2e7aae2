/// A repository in a layout that people use: its files, and everything that `netpold lint` says of it.
struct RepositoryLayout: Sendable, CustomStringConvertible {
    var description: String
    var files: [String: String]
    /// `file:line id`, in the order reported.
    var findings: [String]
    var code: Int32
    /// The notes on standard error.
    var notes: [String] = []
}

extension RepositoryLayout {
    static func policy(_ name: String, _ namespace: String? = nil, label: String = "app: web") -> String {
        """
        apiVersion: networking.k8s.io/v1
        kind: NetworkPolicy
        metadata: {name: \(name)\(namespace.map { ", namespace: \($0)" } ?? "")}
        spec:
          podSelector: {matchLabels: {\(label)}}
          policyTypes: [Ingress]
        """
    }

    static func deployment(_ namespace: String? = nil) -> String {
        """
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: web\(namespace.map { ", namespace: \($0)" } ?? "")}
        spec:
          selector: {matchLabels: {app: web}}
          template: {metadata: {labels: {app: web}}, spec: {containers: [{name: c, image: x}]}}
        """
    }

    static let namespace = "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n"

    private static func flux(_ name: String, _ path: String, _ more: String = "") -> String {
        """
        apiVersion: kustomize.toolkit.fluxcd.io/v1
        kind: Kustomization
        metadata: {name: \(name), namespace: flux-system}
        spec: {interval: 5m, prune: true, path: \(path), sourceRef: {kind: GitRepository, name: flux-system}\(more)}

        """
    }

    private static let ci = "on: [push]\njobs: {a: {steps: [{run: \"${{ github.ref }}\"}]}}\n"

    static let all = [
        RepositoryLayout(
            description: "Flux: clusters, apps, infrastructure",
            files: [
                "clusters/live/apps.yaml": flux("apps", "./apps/live"),
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
                ".github/workflows/ci.yaml": ci, "renovate.json": #"{"extends": ["x"]}"#,
            ], findings: [], code: 0,
            notes: [
                "skipped 2 objects that are not policy input: HelmRelease 1, Kustomization 1; and 1 document without apiVersion and kind",
                "did not look into 1 hidden folder or file (.github)",
            ]),
        RepositoryLayout(
            description: "Flux: target namespaces, an order of application, patches",
            files: [
                "clusters/live/all.yaml": flux("base", "./infra")
                    + "---\n" + flux("web", "./apps/web", ", targetNamespace: shop, dependsOn: [{name: base}]")
                    + "---\n" + flux("api", "./apps/api", ", targetNamespace: api, patches: [{patch: x}]"),
                "infra/namespaces.yaml": namespace + "---\n" + namespace.replacing("shop", with: "api"),
                "apps/web/web.yaml": deployment(), "apps/web/policies/web.yaml": policy("web"),
                // Followed, so that this label is seen to be misspelt in shop.
                "apps/web/policies/typo.yaml": policy("typo", label: "app: wbe"),
                "apps/api/policy.yaml": policy("api"),
            ],
            findings: ["apps/web/policies/typo.yaml:5 selects-nothing", "clusters/live/all.yaml:11 kustomization"],
            code: 1, notes: ["skipped 3 objects that are not policy input: Kustomization 3"]),
        RepositoryLayout(
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
            code: 1, notes: ["skipped 1 object that is not policy input: Application 1"]),
        RepositoryLayout(
            description: "Argo CD: an application of applications, an ApplicationSet over folders",
            files: [
                "root.yaml": """
                apiVersion: argoproj.io/v1alpha1
                kind: Application
                metadata: {name: root, namespace: argocd}
                spec: {source: {path: applications}, destination: {namespace: argocd}}
                """,
                "applications/all.yaml": """
                apiVersion: argoproj.io/v1alpha1
                kind: ApplicationSet
                metadata: {name: all, namespace: argocd}
                spec:
                  generators:
                  - git:
                      directories: [{path: apps/*}, {path: apps/old, exclude: true}]
                  template:
                    spec: {source: {path: '{{path}}'}, destination: {namespace: '{{path.basename}}'}}
                """,
                "namespaces.yaml": namespace, "apps/shop/web.yaml": deployment(),
                "apps/shop/policy.yaml": policy("web"),
                // In its folder's namespace, as its pods are, which have no such label.
                "apps/shop/typo.yaml": policy("typo", label: "app: wbe"), "apps/old/values.yaml": "a: 1\n",
            ], findings: ["apps/shop/typo.yaml:5 selects-nothing"], code: 1,
            notes: [
                "skipped 2 objects that are not policy input: Application 1, ApplicationSet 1; and 1 document without apiVersion and kind"
            ]),
        RepositoryLayout(
            description: "Argo CD: ApplicationSets over clusters, files and several generators at once",
            files: [
                "sets/clusters.yaml": """
                apiVersion: argoproj.io/v1alpha1
                kind: ApplicationSet
                metadata: {name: clusters, namespace: argocd}
                spec:
                  generators: [{clusters: {}}]
                  template:
                    spec: {source: {path: 'clusters/{{name}}/web'}, destination: {namespace: web}}
                """,
                // Which of them somebody has is not written here; what names its namespace stays what it is.
                "clusters/one/web/bare.yaml": policy("one"), "clusters/one/web/named.yaml": policy("one", "shop"),
                "clusters/one/other.yaml": policy("other", "shop"),
                "sets/product.yaml": """
                apiVersion: argoproj.io/v1alpha1
                kind: ApplicationSet
                metadata: {name: product, namespace: argocd}
                spec:
                  goTemplate: true
                  generators:
                  - matrix:
                      generators:
                      - git: {directories: [{path: apps/*}]}
                      - clusters: {}
                  template:
                    spec: {source: {path: '{{.path.path}}'}, destination: {namespace: '{{.path.basename}}'}}
                """,
                "namespaces.yaml": namespace, "apps/shop/web.yaml": deployment(),
                "apps/shop/policy.yaml": policy("web"),
                "apps/shop/typo.yaml": policy("typo", label: "app: wbe"),
                "sets/files.yaml": """
                apiVersion: argoproj.io/v1alpha1
                kind: ApplicationSet
                metadata: {name: files, namespace: argocd}
                spec:
                  generators: [{git: {files: [{path: teams/**/config.json}]}}]
                  template:
                    spec: {source: {path: 'teams/{{team}}'}, destination: {namespace: '{{team}}'}}
                """,
                "teams/a/config.json": "{\"team\": \"a\"}", "teams/a/policy.yaml": policy("team"),
                "teams/b/deep/policy.yaml": policy("team"),
            ],
            findings: [
                "apps/shop/typo.yaml:5 selects-nothing", "sets/clusters.yaml:1 kustomization",
                "sets/files.yaml:1 kustomization",
            ], code: 1,
            notes: [
                "skipped 3 objects that are not policy input: ApplicationSet 3; and 1 document without apiVersion and kind"
            ]),
        RepositoryLayout(
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
            ], findings: ["templates/policy.yaml:1 unrendered-template"], code: 1,
            notes: [
                "skipped 1 object that is not policy input: unrendered template 1; and 4 documents without apiVersion and kind",
                "did not look into 1 *.tpl file",
            ]),
        RepositoryLayout(
            description: "kustomize: a base, overlays with prefixes and labels, a component",
            files: [
                "base/kustomization.yaml": "resources: [web.yaml, policy.yaml]\n", "base/web.yaml": deployment(),
                "base/policy.yaml": policy("web"),
                "components/deny/kustomization.yaml":
                    "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nresources: [deny.yaml]\n",
                "components/deny/deny.yaml": policy("deny"),
                "overlays/live/kustomization.yaml":
                    "namespace: live\nnamePrefix: live-\nresources: [../../base]\ncomponents: [../../components/deny]\n",
                "overlays/test/kustomization.yaml":
                    "namespace: test\nlabels: [{pairs: {stage: test}, includeSelectors: true}]\nresources: [../../base]\n",
                "plain/policy.yaml": policy("plain", "ops"),
            ],
            findings: [
                "overlays/live/kustomization.yaml:1 kustomization", "overlays/test/kustomization.yaml:1 kustomization",
            ],
            code: 1),
        RepositoryLayout(
            description: "a monorepo: code, CI, dashboards, values, several services",
            files: [
                "docker-compose.yml": "services: {web: {image: x}}\n", "mkdocs.yml": "x: !!python/name:a.b\n",
                ".gitlab-ci.yml": "build: {script: [make]}\n", ".github/workflows/ci.yaml": ci,
                "grafana/board.json": #"{"panels": [{"title": "NetworkPolicy"}]}"#,
                "openapi.yaml": "openapi: 3.0.0\npaths: {}\n",
                "web/values.yaml": "podSelector: {}\nimage: {tag: \"1\"}\n",
                "web/package.json": #"{"name": "web", "kind": "module"}"#, "web/list.json": "[1, 2]\n",
                "web/k8s/all.yaml": namespace + "---\n" + deployment("shop") + "\n---\n" + policy("web", "shop"),
                "api/k8s/all.yaml": namespace + "---\n" + policy("api", "shop", label: "app: wbe"),
            ], findings: ["api/k8s/all.yaml:9 selects-nothing"], code: 1,
            notes: [
                "skipped 7 documents without apiVersion and kind",
                "did not look into 2 hidden folders or files (.github, .gitlab-ci.yml)",
            ]),
        RepositoryLayout(
            description: "jsonnet: sources beside their output",
            files: [
                "main.jsonnet": "{ kind: 'NetworkPolicy' }\n", "lib/k.libsonnet": "{}\n",
                "jsonnetfile.json": #"{"version": 1, "dependencies": []}"#,
                "jsonnetfile.lock.json": #"{"version": 1, "dependencies": []}"#,
                "manifests/policy.json": """
                {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": "web", "namespace": "shop"},
                 "spec": {"podSelector": {"matchLabels": {"app": "web"}}, "policyTypes": ["Ingress"]}}
                """,
                "manifests/web.yaml": deployment("shop"),
                "manifests/rules.yaml": """
                apiVersion: monitoring.coreos.com/v1
                kind: PrometheusRule
                metadata: {name: web, namespace: shop}
                spec: {groups: [{name: a, rules: [{alert: A, annotations: {text: "{{ $labels.pod }} of NetworkPolicy"}}]}]}
                """,
            ], findings: [], code: 0,
            notes: [
                "skipped 1 object that is not policy input: PrometheusRule 1; and 2 documents without apiVersion and kind"
            ]),
        RepositoryLayout(
            description: "Terraform beside manifests, with its state and templates",
            files: [
                "main.tf": "resource \"kubernetes_network_policy\" \"a\" {}\n", "terraform.tfvars.json": #"{"a": 1}"#,
                ".terraform/modules/modules.json": #"{"Modules": []}"#,
                "templates/policy.yaml": policy("${name}", "${namespace}"),
                "templates/values.yaml": "image: ${image}\n",
                "k8s/web.yaml": namespace + "---\n" + deployment("shop") + "\n---\n" + policy("web", "shop"),
            ], findings: ["templates/policy.yaml:3 unrendered-template"], code: 1,
            notes: [
                "skipped 2 documents without apiVersion and kind",
                "did not look into 1 hidden folder or file (.terraform)",
            ]),
        RepositoryLayout(
            description: "dumps of kubectl get -o yaml",
            files: [
                "dump/all.yaml": """
                apiVersion: v1
                items:
                - apiVersion: v1
                  kind: Namespace
                  metadata: {name: shop, uid: 1f, resourceVersion: "7", creationTimestamp: "2026-01-01T00:00:00Z"}
                  spec: {finalizers: [kubernetes]}
                  status: {phase: Active}
                - apiVersion: v1
                  kind: Pod
                  metadata:
                    name: web-5d4f-x2
                    namespace: shop
                    labels: {app: web, pod-template-hash: 5d4f}
                    ownerReferences: [{apiVersion: apps/v1, kind: ReplicaSet, name: web-5d4f, uid: a, controller: true}]
                  spec: {nodeName: n1, containers: [{name: c, image: x, ports: [{containerPort: 80, protocol: TCP}]}]}
                  status: {phase: Running, podIP: 10.0.0.5, podIPs: [{ip: 10.0.0.5}]}
                - apiVersion: v1
                  kind: ConfigMap
                  metadata: {name: board, namespace: shop}
                  data: {a: "{{ $labels.pod }}", b: "${HOME}"}
                - apiVersion: networking.k8s.io/v1
                  kind: NetworkPolicy
                  metadata:
                    annotations:
                      kubectl.kubernetes.io/last-applied-configuration: |
                        {"apiVersion":"networking.k8s.io/v1","kind":"NetworkPolicy","metadata":{"name":"web"}}
                    generation: 1
                    name: web
                    namespace: shop
                    uid: 2f
                  spec: {podSelector: {matchLabels: {app: wbe}}, policyTypes: [Ingress]}
                kind: List
                metadata:
                  resourceVersion: ""
                """
            ], findings: ["dump/all.yaml:31 selects-nothing"], code: 1,
            notes: ["skipped 1 object that is not policy input: ConfigMap 1"]),
        RepositoryLayout(
            description: "Secrets encrypted by SOPS",
            files: [
                ".sops.yaml": "creation_rules: [{age: x}]\n",
                "secret.yaml": """
                apiVersion: v1
                kind: Secret
                metadata: {name: a, namespace: shop}
                stringData: {token: "ENC[AES256_GCM,data:x,iv:y,tag:z,type:str]"}
                sops: {kms: [], age: [{recipient: x, enc: "-----BEGIN AGE ENCRYPTED FILE-----"}], version: 3.8.0}
                """,
                "values.enc.yaml": "password: ENC[AES256_GCM,data:x]\nsops: {version: 3.8.0}\n",
                "secret.enc.json": #"{"data": "ENC[AES256_GCM,data:x]", "sops": {"kms": null}}"#,
                "policy.yaml": policy("web", "shop"),
            ], findings: [], code: 0,
            notes: [
                "skipped 1 object that is not policy input: Secret 1; and 2 documents without apiVersion and kind",
                "did not look into 1 hidden folder or file (.sops.yaml)",
            ]),
        RepositoryLayout(
            description: "helmfile",
            files: [
                "helmfile.yaml":
                    "repositories: [{name: a, url: b}]\nreleases: [{name: web, chart: a/web, values: [values.yaml]}]\n",
                "helmfile.d/01.yaml.gotmpl": "releases: {{ range .Values.list }}\n",
                "environments/live.yaml": "{{ readFile \"base.yaml\" }}\nkind: values\n",
                "values/web.yaml.gotmpl": "a: {{ .b }}\n", "values/web.yaml": "networkPolicy: {enabled: true}\n",
                "raw/policy.yaml": policy("web", "shop"),
            ], findings: [], code: 0,
            notes: [
                "skipped 1 object that is not policy input: unrendered template 1; and 2 documents without apiVersion and kind"
            ]),
        RepositoryLayout(
            description: "bundles of custom resource definitions",
            files: [
                "crds.yaml": """
                apiVersion: apiextensions.k8s.io/v1
                kind: CustomResourceDefinition
                metadata: {name: ciliumnetworkpolicies.cilium.io}
                spec:
                  names: {kind: CiliumNetworkPolicy, listKind: CiliumNetworkPolicyList}
                  versions: [{name: v2, schema: {openAPIV3Schema: {properties: {spec: {properties: {endpointSelector: {}}}}}}}]
                ---
                apiVersion: apiextensions.k8s.io/v1
                kind: CustomResourceDefinition
                metadata: {name: globalnetworkpolicies.crd.projectcalico.org}
                spec: {names: {kind: GlobalNetworkPolicy}}
                """,
                "operator.yaml": deployment("operators") + "\n---\n"
                    + policy("operator", "operators", label: "app: operand"),
            ], findings: ["operator.yaml:12 selects-nothing"], code: 0,
            notes: ["skipped 2 objects that are not policy input: CustomResourceDefinition 2"]),
        RepositoryLayout(
            description: "policies in a List, in one namespace by a kustomization",
            files: [
                "kustomization.yaml": "namespace: shop\nresources: [list.yaml, web.yaml]\n", "web.yaml": deployment(),
                "list.yaml": """
                apiVersion: v1
                kind: List
                items:
                - apiVersion: networking.k8s.io/v1
                  kind: NetworkPolicy
                  metadata: {name: a}
                  spec: {podSelector: {matchLabels: {app: web}}}
                - apiVersion: networking.k8s.io/v1
                  kind: NetworkPolicy
                  metadata: {name: b}
                  spec: {podSelector: {matchLabels: {app: wbe}}}
                - apiVersion: networking.k8s.io/v1
                  kind: NetworkPolicy
                  metadata: {name: a}
                  spec: {podSelector: {}}
                """,
            ], findings: ["list.yaml:11 selects-nothing", "list.yaml:12 duplicate-object"], code: 2),
        RepositoryLayout(
            description: "plain manifests, with mistakes",
            files: [
                "a.yaml": policy("a", "shop").replacing("podSelector", with: "podSelecter"),
                "b.yaml": policy("b", "shop"),
                "c.yaml": policy("b", "shop"),
            ], findings: ["a.yaml:5 unknown-field", "c.yaml:1 duplicate-object"], code: 2),
    ]
}
