public import PolicyAPI

/// What one manifest file holds at the moment.
public struct ManifestFile: Hashable, Sendable {
    /// The good objects.
    public var objects: [ClusterObject]
    /// Objects that were not accepted.
    public var refused: [RefusedObject]
    /// Parts that cannot be read at all, with the diagnostics: nobody knows which objects they would be. The whole file, if
    /// it is not valid YAML or cannot be opened.
    public var unreadable: [String]
    /// Warnings about objects that are used.
    public var warnings: [String]
    /// Deployments and other workloads: they stand for no pods here.
    public var workloads: [ObjectKey] = []
    /// For a file that is not believed because a write seems to have broken off: what happened to it, in words. It then has
    /// nothing else.
    var shrunk: String?

    /// Whether nothing in it is refused or unreadable.
    public var isGood: Bool { refused.isEmpty && unreadable.isEmpty && shrunk == nil }
    /// Whether what it does not name may be in it all the same.
    var isIncomplete: Bool { !unreadable.isEmpty || shrunk != nil }

    /// A file.
    public init(
        objects: [ClusterObject] = [], refused: [RefusedObject] = [], unreadable: [String] = [],
        warnings: [String] = []
    ) {
        self.objects = objects
        self.refused = refused
        self.unreadable = unreadable
        self.warnings = warnings
    }

    /// A file that is not believed.
    init(shrunk: String) {
        self.init()
        self.shrunk = shrunk
    }

    /// The objects that it names, good or refused, in the order in which they are written.
    var keys: [ObjectKey] {
        var placed = objects.map { (key: $0.key, line: $0.metadata.location?.line ?? 0) }
        guard !refused.isEmpty else { return placed.map(\.key) }
        for refused in refused {
            guard case .manifest(let place) = refused.origin else { continue }
            placed.insert((refused.key, place.line), at: placed.firstIndex { $0.line > place.line } ?? placed.count)
        }
        return placed.map(\.key)
    }
}

/// All manifest files of a folder by path.
public typealias FolderSnapshot = [String: ManifestFile]
