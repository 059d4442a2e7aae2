public import Support

/// What is known of a file for an agent that comes after this one: the texts from which what it has in force came.
public struct FolderCopy: Sendable {
    /// Which file it was.
    public var birth: FileBirth?
    /// The text in which last nothing was refused or unreadable.
    public var good: FileText?
    /// A later text of which something was taken although something in it was refused or unreadable.
    public var latest: FileText?
    /// Another number whenever the copy changes.
    public var serial: UInt64

    /// A copy.
    public init(birth: FileBirth? = nil, good: FileText? = nil, latest: FileText? = nil, serial: UInt64 = 0) {
        self.birth = birth
        self.good = good
        self.latest = latest
        self.serial = serial
    }
}
