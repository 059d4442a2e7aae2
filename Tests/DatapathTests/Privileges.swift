import Glibc
import Testing

/// What the machine lets the tests do.
enum Privileges {
    /// Loading programs needs CAP_BPF and CAP_NET_ADMIN.
    static let canLoadBPF = geteuid() == 0
}

extension Trait where Self == ConditionTrait {
    /// Skips visibly when programs cannot be loaded.
    static var needsRoot: Self { .enabled(if: Privileges.canLoadBPF, "needs root (CAP_BPF, CAP_NET_ADMIN)") }
}
