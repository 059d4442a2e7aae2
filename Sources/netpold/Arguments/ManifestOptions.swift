import Agent
import ArgumentParser

/// Which manifests a command is about: alike in every command that reads some.
struct ManifestOptions: ParsableArguments {
    @Option(
        name: [.customShort("f"), .customLong("file")],
        help: ArgumentHelp("Manifests: a file, a folder, or - for standard input. May be repeated.", valueName: "path"),
        completion: .file())
    var files: [String] = []

    @Option(
        name: [.customShort("k"), .customLong("kustomize")],
        help: ArgumentHelp(
            "Manifests: what the kustomization of a folder makes, by kustomize or kubectl. May be repeated.",
            valueName: "folder"), completion: .directory)
    var kustomizations: [String] = []

    @Option(
        help: ArgumentHelp(
            """
            Pass over files and folders of this name or path below the folders of -f; may be repeated. Lines of .netpoldignore in \
            such a folder mean the same.
            """, valueName: "pattern"))
    var exclude: [String] = []

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp(
            "The namespace of objects, and of ends of flows, that name none. (default: default)", valueName: "namespace"
        ))
    var namespace: String?

    /// Whether nothing was named.
    var isEmpty: Bool { files.isEmpty && kustomizations.isEmpty }

    /// What was named here, and as arguments.
    func choice(_ paths: [String] = []) -> ManifestChoice {
        ManifestChoice(
            paths: paths + files, kustomizations: kustomizations, excluded: exclude, namespace: namespace)
    }
}
