import PolicyAPI

/// A kustomization: which files and folders it takes, and what it makes of them. One of kustomize, or an object of Flux or Argo CD that
/// does as much to a folder (`DeliveryObjects`).
struct Kustomization {
    /// The names that kustomize looks for.
    static let fileNames = ["kustomization.yaml", "kustomization.yml", "Kustomization"]

    /// Something that it changes of the objects, as far as policies can tell.
    enum Change: Hashable {
        /// `namespace`: of every object.
        case namespace(String)
        /// The namespace of objects that name none; `nil` when it hangs on what is elsewhere.
        case bareNamespace(String?)
        /// Names, labels, patches: by the field that says so.
        case other(String)
    }

    /// Where it is written.
    let location: SourceLocation
    /// The file.
    var file: String { location.file }
    /// The folder that it stands in, or that it is about, without a final slash.
    let folder: String
    /// `resources`, and `bases` and `components` of older and other files, as paths; addresses elsewhere are left out.
    let resources: [String]
    /// Where the paths of `resources` that somebody wrote are written.
    private(set) var places: [String: SourceLocation] = [:]
    /// What it takes and makes beside them, which is never read here.
    private(set) var unread: [UnreadResources.Item] = []
    /// Files that hold patches, which are no objects.
    let patches: [String]
    /// What it changes, in the order of its fields.
    let changes: [Change]
    /// How to read what it makes.
    let remedy: String
    /// Whether the file is no YAML, so that nobody knows what it takes.
    let isUnreadable: Bool

    /// One that another object describes.
    init(location: SourceLocation, folder: String, resources: [String], changes: [Change], remedy: String) {
        self.location = location
        self.folder = folder
        self.resources = resources
        patches = []
        isUnreadable = false
        self.changes = changes
        self.remedy = remedy
    }

    /// Reads one; what is not understood of it changes nothing, but for a file that cannot be read at all.
    init(_ bytes: [UInt8], file: String) {
        location = SourceLocation(file: file, line: 1, column: 1)
        let folder = Kustomization.folder(of: file)
        self.folder = folder
        remedy = "read what it makes: -k \(folder)"
        let output = DocumentReader.read(bytes, file: "kustomization.yaml")
        let root = output.documents.first
        isUnreadable = output.diagnostics.hasErrors
        func paths(_ keys: [String]) -> [String] {
            keys.flatMap { root?[$0]?.elements ?? [] }.compactMap(\.string).compactMap {
                Kustomization.join(folder, $0)
            }
        }
        resources = paths(Kustomization.taking)
        let listed = (root?["patches"]?.elements ?? []) + (root?["patchesJson6902"]?.elements ?? [])
        patches =
            paths(["patchesStrategicMerge", "transformers", "configurations"])
            + listed.compactMap { $0["path"]?.string }.compactMap { Kustomization.join(folder, $0) }
        changes = Kustomization.changes(root) + (isUnreadable ? [.other("what cannot be read")] : [])
        findUnread(root)
        if output.documents.count > 1 {
            note(.misunderstood, "it has several documents, of which the first counts", output.documents[1].location)
        }
    }

    /// Fields that take files and folders.
    private static let taking = ["resources", "bases", "components"]
    /// Fields that make objects which are in no file.
    private static let making = ["helmCharts", "helmChartInflationGenerator", "generators"]
    /// All other fields of kustomize: what these make, or change, is no policy's concern, or a change.
    private static let others = [
        "apiVersion", "kind", "metadata", "namespace", "namePrefix", "nameSuffix", "commonLabels", "labels",
        "commonAnnotations", "patches", "patchesStrategicMerge", "patchesJson6902", "replacements", "transformers",
        "validators", "vars", "replicas", "images", "imageTags", "configMapGenerator", "secretGenerator",
        "generatorOptions", "configurations", "crds", "openapi", "buildMetadata", "sortOptions", "inventory",
        "helmGlobals",
    ]

    /// Looks for what nobody reads here.
    private mutating func findUnread(_ root: DocumentNode?) {
        if let root, root.members == nil, !root.isNull {
            return note(.misunderstood, "it is \(root.kindDescription), not a map of fields", root.location)
        }
        for member in root?.members ?? [] {
            let (key, value) = (member.key, member.value)
            let isEmpty = value.isNull || value.elements?.isEmpty == true || value.members?.isEmpty == true
            if Kustomization.taking.contains(key) {
                guard let elements = value.elements else {
                    if !isEmpty { note(.misunderstood, "`\(key)` is no list of paths", value.location) }
                    continue
                }
                for element in elements {
                    guard let text = element.string else {
                        note(.misunderstood, "`\(key)` has \(element.kindDescription) for a path", element.location)
                        continue
                    }
                    if let path = Kustomization.join(folder, text) {
                        places[path] = placed(element.location)
                    } else {
                        note(.elsewhere, text, element.location)
                    }
                }
            } else if Kustomization.making.contains(key) {
                if !isEmpty { note(.generator, key, member.location) }
            } else if !Kustomization.others.contains(key) {
                let all = Kustomization.taking + Kustomization.making + Kustomization.others
                let near = Spelling.nearest(to: key, among: all.sorted()).map { " (did you mean \($0)?)" } ?? ""
                note(.misunderstood, "kustomize has no field \(key)\(near)", member.location)
            }
        }
    }

    private mutating func note(_ reason: UnreadResources.Reason, _ text: String, _ location: SourceLocation) {
        unread.append(UnreadResources.Item(reason: reason, text: text, location: placed(location)))
    }

    /// It is read under a name that ends as those of YAML do.
    private func placed(_ location: SourceLocation) -> SourceLocation {
        SourceLocation(file: file, line: location.line, column: location.column)
    }

    /// What of it is not read, where `known` files are.
    func unread(but known: inout ReadPaths) -> UnreadResources? {
        var absent: [UnreadResources.Item] = []
        for path in resources {
            guard let place = places[path], !known.contains(path) else { continue }
            absent.append(UnreadResources.Item(reason: .absent, text: path, location: place))
        }
        return UnreadResources(absent + unread, remedy: remedy)
    }

    /// Whether something that it takes is neither in its folder nor below one of `others`, or is made by it.
    func reachesOut(of others: [String]) -> Bool {
        let around = ([folder] + others).map(Kustomization.normal)
        return !unread.isEmpty
            || resources.contains { path in
                !around.contains {
                    $0 == path || (Kustomization.holds($0, path) && ($0 != "." || !path.hasPrefix("..")))
                }
            }
    }

    /// The same with other resources.
    func taking(_ resources: [String]) -> Kustomization {
        Kustomization(location: location, folder: folder, resources: resources, changes: changes, remedy: remedy)
    }

    /// What the fields of a kustomization change, in their order.
    static func changes(_ root: DocumentNode?) -> [Change] {
        (root?.members ?? []).compactMap { change($0.key, $0.value) }
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

    /// Whether it changes what objects say, not only what they leave open.
    var changesWritten: Bool {
        changes.contains { if case .bareNamespace = $0 { false } else { true } }
    }

    /// In words: `namespace shop and namePrefix`.
    var summary: String {
        let words = changes.map { change in
            switch change {
            case .namespace(let name): "namespace \(name)"
            case .bareNamespace(let name?): "namespace \(name) where none is written"
            case .bareNamespace(nil): "a namespace where none is written"
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

    /// Whether a path is below a folder, both normal.
    static func holds(_ folder: String, _ path: String) -> Bool {
        folder == "." ? !path.hasPrefix("/") : path.hasPrefix(folder == "/" ? "/" : folder + "/")
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
