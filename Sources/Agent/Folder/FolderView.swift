import PolicyAPI

/// What the files of a folder say, for as much of them as is believed.
struct FolderView: Sendable {
    /// The files by path.
    var files: FolderSnapshot
    /// Files that are where another one was or nothing was, by the path at which they were.
    var moves: [String: String] = [:]
    /// Paths at which something happened.
    var touched: Set<String> = []
    /// Whether it is the first.
    var isFirst = false
    /// Whether the folder could not be read before.
    var isAfterGap = false
    /// When, since any beginning.
    var time: Duration = .zero
    /// How long objects that are gone stay; `nil` for neither waiting nor doubting that a folder may lose everything.
    var wait: DeletionWait?
    /// Whether objects that are gone are gone at once, even if that is all there were.
    var acceptsLoss = false
}
