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

    /// Whether nothing in it is refused or unreadable.
    public var isGood: Bool { refused.isEmpty && unreadable.isEmpty }

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
}

/// All manifest files of a folder by path.
public typealias FolderSnapshot = [String: ManifestFile]
