/// Since when no file holds something any more that was in force.
struct Leaving: Hashable, Sendable {
    /// When it was missed first.
    var first: Duration
    /// When something happened last to the file in which it was.
    var latest: Duration
    /// Whether it went with everything else that the folder held: then it stays until somebody says that this was meant.
    var isLost = false
    /// Whether its file said so, in a text that was believed: then no accident of the file brings it back.
    var isSaid = false

    /// Something that is missed from now on.
    init(at time: Duration) {
        first = time
        latest = time
    }

    /// When it is to go.
    func due(_ wait: DeletionWait) -> Duration { min(latest + wait.quiet, first + wait.longest) }
}
