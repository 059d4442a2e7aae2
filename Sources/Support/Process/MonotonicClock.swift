import Glibc

/// CLOCK_MONOTONIC, the clock of `bpf_ktime_get_ns`: what the kernel stamps events and entries with.
public enum MonotonicClock {
    /// Nanoseconds since the machine was started.
    public static var nanoseconds: UInt64 {
        let time = now
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }

    /// Seconds since the machine was started: what learnt addresses and slots of Services are stamped with.
    public static var seconds: UInt32 { UInt32(truncatingIfNeeded: now.tv_sec) }

    private static var now: timespec {
        var time = timespec()
        // Reading this clock does not fail.
        clock_gettime(CLOCK_MONOTONIC, &time)
        return time
    }
}
