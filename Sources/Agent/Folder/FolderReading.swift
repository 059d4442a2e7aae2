public import Support

/// A folder of manifests as it was found at one time.
public struct FolderReading: Sendable {
    /// A file by the path at which it was found.
    public struct File: Sendable {
        /// What was found.
        public enum State: Sendable {
            /// Its text.
            case text(FileText)
            /// It cannot be read: a link that leads nowhere, a pipe, a file without permission.
            case unreadable(ManifestFile)
            /// It was not read: somebody is writing to it.
            case unread
        }

        /// What was found.
        public var state: State
        /// Which file it is, to know it again under another path; `nil` where that cannot be said.
        public var birth: FileBirth?
        /// Whether somebody has written to it and not closed it.
        public var isUnfinished: Bool

        /// A file.
        public init(_ state: State, birth: FileBirth? = nil, isUnfinished: Bool = false) {
            self.state = state
            self.birth = birth
            self.isUnfinished = isUnfinished
        }
    }

    /// The files by path.
    public var files: [String: File]
    /// Folders of which it is not known what they hold, and why not.
    public var unseen: [String: String]
    /// Paths at which something happened since the reading before.
    public var touched: Set<String>
    /// Whether the folder could not be read before: how long something has been missing is not known.
    public var isAfterGap = false

    /// A reading.
    public init(files: [String: File] = [:], unseen: [String: String] = [:], touched: Set<String> = []) {
        self.files = files
        self.unseen = unseen
        self.touched = touched
    }

    /// Whether a path is in a folder of which it is not known what it holds.
    func hides(_ path: String) -> Bool {
        unseen.keys.contains { path.hasPrefix($0.hasSuffix("/") ? $0 : $0 + "/") }
    }
}
