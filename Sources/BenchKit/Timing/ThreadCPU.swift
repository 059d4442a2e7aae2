import Glibc
import Support

/// The calling thread and its CPU, for measurements.
enum ThreadCPU {
    /// Keeps the thread on one CPU.
    ///
    /// - Throws: when the machine has no such CPU.
    static func pin(to cpu: Int) throws(SystemError) {
        try SystemError.check("pin thread to", "CPU \(cpu)") { ThreadAffinity(cpu: cpu)?.apply() ?? -1 }
    }

    /// Nanoseconds of user and system time that the thread has had.
    ///
    /// Packets of a veth are received in the softirq that the sender's own system call runs, and kernels without
    /// CONFIG_IRQ_TIME_ACCOUNTING account softirqs to the thread they interrupt, so it holds the whole path of a packet.
    /// (With that option: use a kernel without it; the loads would read too low alike.)
    static func time() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }

    /// Nanoseconds that work takes: what else the machine does counts little.
    static func time(of work: () -> Void) -> UInt64 {
        let begin = time()
        work()
        return time() - begin
    }
}
