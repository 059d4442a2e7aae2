import CNetpoldABI
import Glibc

/// Runs of np_dns_lesson, by the proxy: the kernel may take the CPU from them, so that the wait for programs at hooks does not end them.
struct LessonsUnderWay {
    /// A run takes microseconds; one whose process gets no CPU, longer.
    static let patience: Duration = .seconds(10)
    private static let pauseMicroseconds: UInt32 = 100

    private let scratch: BPFMap

    /// Those that use a np_lesson_scratch.
    init(_ scratch: BPFMap) { self.scratch = scratch }

    /// Returns when every lesson has ended that was under way at the call.
    ///
    /// - Throws: `ETIMEDOUT` when one has not ended for `patience`.
    func wait(_ patience: Duration = patience) throws(BPFError) {
        let clock = ContinuousClock()
        let end = clock.now + patience
        var busy = try busyCPUs()
        while !busy.isEmpty {
            guard clock.now < end else { throw BPFError(.waitForReaders, scratch.name, errno: .timedOut) }
            usleep(LessonsUnderWay.pauseMicroseconds)
            // Free once is enough: a later one has begun later.
            busy.formIntersection(try busyCPUs())
        }
    }

    private func busyCPUs() throws(BPFError) -> Set<Int> {
        let lessons = try scratch.perCPUValues(of: 0, value: np_lesson())
        return Set(lessons.indices.filter { lessons[$0].busy != 0 })
    }
}
