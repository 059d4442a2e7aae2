import PolicyAPI

/// A kustomization file: which files and folders it takes, and what it makes of them.
struct Kustomization {
    /// The names that kustomize looks for.
    static let fileNames = ["kustomization.yaml", "kustomization.yml", "Kustomization"]

    /// Something that it changes of the objects, as far as policies can tell.
    enum Change: Hashable {
        /// `namespace`: of every object.
        case namespace(String)
        /// Names, labels, patches: by the field that says so.
        case other(String)
    }

    /// The file.
    let file: String
    /// The folder that it stands in, without a final slash.
    let folder: String
    /// `resources`, and `bases` and `components` of older and other files, as paths; addresses elsewhere are left out.
    let resources: [String]
    /// Files that hold patches, which are no objects.
    let patches: [String]
    /// What it changes, in the order of its fields.
    let changes: [Change]

    /// Reads one; what is not understood of it changes nothing.
    init(_ bytes: [UInt8], file: String) {
        self.file = file
        let folder = Kustomization.folder(of: file)
        self.folder = folder
        let root = DocumentReader.read(bytes, file: "kustomization.yaml").documents.first
        func paths(_ keys: [String]) -> [String] {
            keys.flatMap { root?[$0]?.elements ?? [] }.compactMap(\.string).compactMap {
                Kustomization.join(folder, $0)
            }
        }
        resources = paths(["resources", "bases", "components"])
        let listed = (root?["patches"]?.elements ?? []) + (root?["patchesJson6902"]?.elements ?? [])
        patches =
            paths(["patchesStrategicMerge", "transformers", "configurations"])
            + listed.compactMap { $0["path"]?.string }.compactMap { Kustomization.join(folder, $0) }
        changes = (root?.members ?? []).compactMap { Kustomization.change($0.key, $0.value) }
    }

    private static func change(_ key: String, _ value: DocumentNode) -> Change? {
        let isEmpty = value.isNull || value.elements?.isEmpty == true || value.members?.isEmpty == true
        guard !isEmpty else { return nil }
        switch key {
        case "namespace": return value.string.flatMap { $0.isEmpty ? nil : .namespace($0) }
        case "namePrefix", "nameSuffix", "commonLabels", "labels", "patches", "patchesStrategicMerge",
            "patchesJson6902",
            "replacements", "transformers", "components", "vars", "replicas":
            return .other(key)
        // Images, annotations, generators and what else there is: no policy asks about them.
        default: return nil
        }
    }

    /// In words: `namespace shop and namePrefix`.
    var summary: String {
        let words = changes.map { change in
            switch change {
            case .namespace(let name): "namespace \(name)"
            case .other(let field): field
            }
        }
        return words.count < 2 ? words.joined() : "\(words.dropLast().joined(separator: ", ")) and \(words.last ?? "")"
    }

    /// The folder of a file: `.` for one without.
    static func folder(of file: String) -> String {
        guard let slash = file.lastIndex(of: "/") else { return "." }
        return slash == file.startIndex ? "/" : String(file[..<slash])
    }

    /// A path of a kustomization, as seen from where its folder is; `nil` for an address elsewhere.
    static func join(_ folder: String, _ path: String) -> String? {
        if path.contains("://") || path.contains("?ref=") || path.hasPrefix("git@") || path.hasPrefix("github.com/") {
            return nil
        }
        return normal(path.hasPrefix("/") || folder == "." ? path : "\(folder)/\(path)")
    }

    /// A path without `.`, and without `..` where that leads back.
    static func normal(_ path: String) -> String {
        var steps: [Substring] = []
        for step in path.split(separator: "/") where step != "." {
            if step == "..", let last = steps.last, last != ".." { steps.removeLast() } else { steps.append(step) }
        }
        let joined = steps.joined(separator: "/")
        return path.hasPrefix("/") ? "/" + joined : (joined.isEmpty ? "." : joined)
    }
}
