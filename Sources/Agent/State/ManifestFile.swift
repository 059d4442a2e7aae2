public import PolicyIR

/// What one manifest file holds at the moment.
public struct ManifestFile: Hashable, Sendable {
    /// The good objects.
    public var objects: [ManifestObject]
    /// Objects that were not accepted.
    public var refused: [RefusedObject]
    /// Parts that cannot be read at all, with the diagnostics: nobody knows which objects they would be. The whole file, if
    /// it is no YAML or cannot be opened.
    public var unreadable: [String]
    /// Warnings about objects that are used.
    public var warnings: [String]

    /// Whether nothing in it is refused or unreadable.
    public var isGood: Bool { refused.isEmpty && unreadable.isEmpty }

    /// A file.
    public init(
        objects: [ManifestObject] = [], refused: [RefusedObject] = [], unreadable: [String] = [],
        warnings: [String] = []
    ) {
        self.objects = objects
        self.refused = refused
        self.unreadable = unreadable
        self.warnings = warnings
    }
}

/// An object that was not accepted.
public struct RefusedObject: Hashable, Sendable {
    /// Which object, as far as it could be read.
    public var key: ObjectKey
    /// The diagnostics, each `file:line:col: error: path: what; how to mend`.
    public var messages: [String]
    /// For a policy whose selector could be read: policies that isolate the pods it selects in its directions, and allow
    /// nothing.
    public var isolating: [LoweredPolicy]

    /// A refused object.
    public init(key: ObjectKey, messages: [String], isolating: [LoweredPolicy]) {
        self.key = key
        self.messages = messages
        self.isolating = isolating
    }
}

/// All manifest files by path.
public typealias ManifestSnapshot = [String: ManifestFile]
