import Glibc

/// A moment of the clock that the kernel stamps events by.
struct KernelTime: Hashable, Comparable, Sendable {
    /// ns, CLOCK_MONOTONIC.
    var nanoseconds: UInt64

    /// The moment of this call.
    static var now: KernelTime { KernelTime(nanoseconds: read(CLOCK_MONOTONIC)) }

    static func < (left: KernelTime, right: KernelTime) -> Bool { left.nanoseconds < right.nanoseconds }

    /// Milliseconds since 1970 at this moment, by the wall clock as it is set now.
    var wallMilliseconds: UInt64 {
        let ago = Int64(bitPattern: KernelTime.now.nanoseconds &- nanoseconds)
        return UInt64(clamping: (Int64(clamping: KernelTime.read(CLOCK_REALTIME)) - ago) / 1_000_000)
    }

    private static func read(_ clock: clockid_t) -> UInt64 {
        var time = timespec()
        clock_gettime(clock, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}
