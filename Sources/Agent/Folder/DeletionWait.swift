/// How long an object that no file holds any more stays in force: programs that replace files leave moments without them.
public struct DeletionWait: Hashable, Sendable {
    /// Since the object went, or something else happened to its file.
    public var quiet: Duration
    /// Since the object went, whatever happens to its file.
    public var longest: Duration

    /// A wait.
    public init(quiet: Duration, longest: Duration) {
        self.quiet = quiet
        self.longest = longest
    }

    /// 2 s, and out of the kernel within 5 s: half a second is left for compiling and applying.
    public static let standard = DeletionWait(quiet: .seconds(2), longest: .milliseconds(4_500))
    /// No wait at all.
    public static let none = DeletionWait(quiet: .zero, longest: .zero)
}
