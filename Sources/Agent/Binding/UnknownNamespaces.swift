/// What becomes of network namespaces for which there is no Pod object (`--unknown`). Whatever was enforced before stays
/// enforced under each of them.
public enum UnknownNamespaces: String, Hashable, Sendable, CaseIterable {
    /// One that shows evidence of being a pod's gets the deny stub until its Pod object comes. Others are left alone.
    case isolate
    /// They are listed, and nothing is enforced on them.
    case open
    /// As `isolate`, and each namespace mounted in the folder of namespaces gets the deny stub as well.
    case allIsolate = "all-isolate"
}
