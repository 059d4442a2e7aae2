import PolicyAPI

/// What a file held at one time: its bytes, and what they say.
public struct FileText: Sendable {
    /// The bytes. Kept as long as the file is followed: whether a later text is what is left of this one is a question of
    /// bytes.
    public var bytes: [UInt8]
    /// The objects in them, and what is wrong.
    public var content: ManifestFile
    /// Whether the objects are those of the bytes alone: no kustomization changes them.
    public var isAsWritten = true

    /// A text.
    public init(bytes: [UInt8], content: ManifestFile) {
        self.bytes = bytes
        self.content = content
    }
}
