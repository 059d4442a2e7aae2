import Glibc

/// The CPU time of this process, for measurements.
enum ProcessCPU {
    /// User and system time of all its threads so far.
    static func time() -> Duration {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
    }
}
