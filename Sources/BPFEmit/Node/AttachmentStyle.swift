/// How programs are attached to interfaces.
public enum AttachmentStyle: String, Hashable, Sendable, CaseIterable {
    /// TCX where the kernel has it, clsact below.
    case automatic
    /// TCX links, pinned.
    case tcx
    /// Filters of the clsact queueing discipline.
    case clsact
    /// Not at all: programs are only run by hand.
    case none
}
