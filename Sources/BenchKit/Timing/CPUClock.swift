import Glibc

/// CPU time of the calling thread. Packets of a veth are received in the softirq that the sender's own system call runs,
/// and kernels without CONFIG_IRQ_TIME_ACCOUNTING account softirqs to the thread they interrupt, so it holds the whole
/// path of a packet. (With that option: use a kernel without it; the loads would read too low alike.)
enum CPUClock {
    /// Nanoseconds of user and system time so far.
    static func now() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }

    /// Nanoseconds that work takes: what else the machine does counts little.
    static func time(_ work: () -> Void) -> UInt64 {
        let begin = now()
        work()
        return now() - begin
    }
}
