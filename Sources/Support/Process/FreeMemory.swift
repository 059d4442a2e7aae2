import CLinux

/// Memory that the process has freed.
public enum FreeMemory {
    /// Gives it back to the system: glibc keeps what lies between pieces in use, which after a large list is most of what it took.
    /// Takes some milliseconds, in which allocations of other threads wait.
    public static func giveBack() { _ = malloc_trim(0) }
}
