import PolicyAPI

extension DiagnosticCatalogue {
    /// Diagnostics about files and documents as a whole.
    static let documents: [DiagnosticEntry] = [
        DiagnosticEntry(
            .syntax, .error, title: "A document is not valid YAML or JSON",
            reason: """
                A document that cannot be read has no effect. The other documents of the file are read: the stream is split at its \
                `---` lines first.
                """,
            fix:
                "Fix the reported line: often the indentation is wrong, a quote is not closed or a tab is used instead of spaces.",
            bad: "kind: [Pod",
            good: "apiVersion: v1\nkind: Pod\nmetadata: {name: web}"),
        DiagnosticEntry(
            .limit, .error, title: "A file is too big, too deep or expands to too much",
            reason: """
                Manifests are untrusted, and some are made to exhaust the program that reads them. The limits (16 MiB, depth 64, \
                1,000,000 values, 1,000 aliases) are far above those of real manifests. Standard input may have 256 MiB.
                """,
            fix: "Split the file; replace aliases by their values.",
            bad: "a: " + String(repeating: "[", count: 65) + String(repeating: "]", count: 65),
            good: "apiVersion: v1\nkind: Pod\nmetadata: {name: web}"),
        DiagnosticEntry(
            .unreadable, .error, title: "A file or folder cannot be read, or contains no manifest",
            reason: "If a path were skipped, its policies would silently be missing.",
            fix: "Check the path and its permissions. Folders are searched for *.yaml, *.yml and *.json."),
        DiagnosticEntry(
            .emptyInput, .error, title: "Standard input, or a file that was named, holds no object",
            reason: """
                In `helm template ... | netpold lint -` the input is empty when helm failed: an answer about nothing would be green. Empty \
                files that are only found in a folder are passed over; folders without a single object, or of which --exclude and \
                .netpoldignore leave nothing, are a warning.
                """,
            fix: "Look at what writes the input (bash: set -o pipefail), and at what is passed over."),
        DiagnosticEntry(
            .duplicateKey, .error, title: "A map has the same key twice",
            reason: """
                YAML parsers disagree which of the two applies; most silently take the last. A policy with a rule that some tools \
                ignore is refused.
                """,
            fix: "Keep one of them. Each rule of a list begins with its own dash.",
            bad: """
                apiVersion: networking.k8s.io/v1
                kind: NetworkPolicy
                metadata: {name: web, namespace: shop}
                spec:
                  podSelector: {}
                  ingress:
                    - from: [{podSelector: {matchLabels: {app: front}}}]
                  ingress:
                    - from: [{podSelector: {matchLabels: {app: admin}}}]
                """,
            good: """
                apiVersion: networking.k8s.io/v1
                kind: NetworkPolicy
                metadata: {name: web, namespace: shop}
                spec:
                  podSelector: {}
                  ingress:
                    - from: [{podSelector: {matchLabels: {app: front}}}]
                    - from: [{podSelector: {matchLabels: {app: admin}}}]
                """),
        DiagnosticEntry(
            .duplicateObject, .error, title: "Two objects have the same kind, namespace and name",
            reason: """
                In a cluster the one that is applied last replaces the other, and the order of files is not defined. Of policies and \
                CIDR groups that do not say the same netpold refuses both: whom either selects is isolated. Of Services it uses the \
                first, with a warning; where they have other labels or selectors, and of EndpointSlices with other addresses, policies \
                that deny by them are refused. (Of other objects it uses the first and refuses the second, of workloads it uses the \
                last, with a warning.)
                """,
            fix: "Keep one of them, or rename one; look for a missing namespace.",
            bad: """
                apiVersion: networking.k8s.io/v1
                kind: NetworkPolicy
                metadata: {name: web, namespace: shop}
                spec: {podSelector: {matchLabels: {app: web}}}
                ---
                apiVersion: networking.k8s.io/v1
                kind: NetworkPolicy
                metadata: {name: web, namespace: shop}
                spec: {podSelector: {}}
                """,
            good: """
                apiVersion: networking.k8s.io/v1
                kind: NetworkPolicy
                metadata: {name: web, namespace: shop}
                spec: {podSelector: {matchLabels: {app: web}}}
                ---
                apiVersion: networking.k8s.io/v1
                kind: NetworkPolicy
                metadata: {name: all, namespace: shop}
                spec: {podSelector: {}}
                """),
        DiagnosticEntry(
            .notAnObject, .error, title: "A document is not a Kubernetes object",
            reason: "Without apiVersion and kind it is unknown what a document is; it might be a policy.",
            fix: "Write apiVersion, kind and metadata, or keep other files out of the folder.",
            bad: "replicas: 3",
            good: "apiVersion: v1\nkind: Pod\nmetadata: {name: web}"),
        DiagnosticEntry(
            .kustomization, .warning, title: "A kustomization changes what files say, or takes what is not among them",
            reason: """
                What is applied has the namespace, names, labels and patches of the kustomization, so files read one by one mean \
                something else. They are left out of every verdict. A kustomization that sets nothing but the namespace is followed. \
                Resources that are not among the files which are read (`../base`, an address elsewhere, a path that does not exist), \
                and what generators and charts make, are missing from every verdict too.
                """,
            fix: "Read what it makes: -k FOLDER, which runs `kustomize build` or `kubectl kustomize`, in place of -f."),
        DiagnosticEntry(
            .unrenderedTemplate, .warning, title: "A file is a template of Helm, Flux or envsubst",
            reason: """
                With its placeholders it is no manifest, and what it becomes depends on values that are elsewhere. Its policies are left \
                out of every verdict. Files without policies are only counted.
                """,
            fix:
                "Render it and read the result: `helm template CHART | netpold lint -`, `flux build`, `envsubst < FILE | netpold lint -`."
        ),
        DiagnosticEntry(
            .unknownKind, .error, title: "An unknown policy kind, or an unsupported apiVersion",
            reason: """
                Kinds that are not policies (Ingress, ConfigMap, ...) are counted and skipped. A kind that looks like a policy is \
                an error: its author expects it to protect something.
                """,
            fix: "Use the kind and apiVersion that the message proposes.",
            bad: """
                apiVersion: networking.k8s.io/v1beta1
                kind: NetworkPolicy
                metadata: {name: web, namespace: shop}
                spec: {podSelector: {}}
                """,
            good: """
                apiVersion: networking.k8s.io/v1
                kind: NetworkPolicy
                metadata: {name: web, namespace: shop}
                spec: {podSelector: {}}
                """),
    ]
}
