import Glibc
import Support

/// A moment of the clock that the kernel stamps events by.
struct KernelTime: Hashable, Comparable, Sendable {
    /// ns, CLOCK_MONOTONIC.
    var nanoseconds: UInt64

    /// The moment of this call.
    static var now: KernelTime { KernelTime(nanoseconds: MonotonicClock.nanoseconds) }

    static func < (left: KernelTime, right: KernelTime) -> Bool { left.nanoseconds < right.nanoseconds }

    /// Milliseconds since 1970 at this moment, by the wall clock as it is set now.
    var wallMilliseconds: UInt64 {
        let ago = Int64(bitPattern: KernelTime.now.nanoseconds &- nanoseconds)
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        let wall = Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
        return UInt64(clamping: (wall - ago) / 1_000_000)
    }
}
