import Glibc

/// A rest of the calling thread, for threads that may block.
enum Pause {
    /// Sleeps; less when a signal comes.
    static func sleep(_ time: Duration) { usleep(UInt32(clamping: Int64(time / .microseconds(1)))) }
}
