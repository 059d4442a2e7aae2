import PolicyAPI

extension DiagnosticCatalogue {
    /// What can be wrong with files and documents as such.
    static let documents: [DiagnosticEntry] = [
        DiagnosticEntry(
            .syntax, .error, title: "A document is no YAML or JSON",
            reason: """
                What cannot be read decides nothing. The other documents of the file are read: the stream is cut at its `---` lines \
                first.
                """,
            fix:
                "Mend the line that is named; often an indentation is off, a quote is open or a tab stands for blanks.",
            bad: "kind: [Pod",
            good: "apiVersion: v1\nkind: Pod\nmetadata: {name: web}"),
        DiagnosticEntry(
            .limit, .error, title: "A file is too big, too deep or expands to too much",
            reason: """
                Manifests come from anybody, and some are made to exhaust whoever reads them. The limits (16 MiB, depth 64, \
                1,000,000 values, 1,000 aliases) are far beyond what people write.
                """,
            fix: "Split the file; write out what aliases repeat.",
            bad: "a: " + String(repeating: "[", count: 65) + String(repeating: "]", count: 65),
            good: "apiVersion: v1\nkind: Pod\nmetadata: {name: web}"),
        DiagnosticEntry(
            .unreadable, .error, title: "A file or folder cannot be read, or holds no manifest",
            reason: "A path that is not read would silently leave its policies out.",
            fix: "Check the path and its permissions. Folders are searched for *.yaml, *.yml and *.json."),
        DiagnosticEntry(
            .duplicateKey, .error, title: "A key is written twice in one map",
            reason: """
                YAML readers disagree which of the two counts; most take the last in silence. A rule that half the tools do not see \
                is refused.
                """,
            fix: "Keep one of them. Two rules of a list each begin with their own dash.",
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
                Applied to a cluster the second replaces the first, in whatever order files are applied. The first is used here, the \
                second refused. (Of Services the last counts, with a warning.)
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
            .notAnObject, .error, title: "A document is no Kubernetes object",
            reason: "Without apiVersion and kind nobody knows what a document is; it might be a policy.",
            fix: "Write apiVersion, kind and metadata, or keep other files out of the folder.",
            bad: "replicas: 3",
            good: "apiVersion: v1\nkind: Pod\nmetadata: {name: web}"),
        DiagnosticEntry(
            .unknownKind, .error, title: "A policy kind that is not known, or in an apiVersion that is not read",
            reason: """
                Kinds that are no policies (Ingress, ConfigMap, ...) are counted and skipped. A kind that looks like a policy is \
                not: its author believes that it protects something.
                """,
            fix: "Write the kind and apiVersion that are named.",
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
