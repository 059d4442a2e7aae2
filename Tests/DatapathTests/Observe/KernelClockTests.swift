import Glibc
import Testing

@testable import Datapath

@Suite("the kernel's clock")
struct KernelClockTests {
    @Test("the rate is told from one reading, at any uptime", arguments: [100, 250, 300, 1000])
    func rate(rate: Int) {
        let wrap: UInt64 = 1 << 32
        for uptime in [1, 60, 250, 298, 302, 400, 3600, 34_560_000] as [UInt64] {
            let jiffies = wrap + uptime * UInt64(rate) - 300 * UInt64(rate)
            #expect(KernelClock.rate(jiffies: jiffies, uptime: Double(uptime)) == rate)
        }
        #expect(KernelClock.rate(jiffies: wrap, uptime: 300) == 1000)
    }

    @Test("the clock runs at the rate it says", .needsRoot)
    func runs() throws {
        let clock = try KernelClock()
        let before = ContinuousClock.now
        let first = try clock.now()
        let begun = ContinuousClock.now
        usleep(300_000)
        let ended = ContinuousClock.now
        let second = try clock.now()
        let after = ContinuousClock.now

        // The readings lie somewhere inside their calls, which a busy machine stretches; each is a jiffy coarse.
        let elapsed = Duration.seconds(Double(second.jiffies - first.jiffies) / Double(first.rate))
        let coarse = Duration.seconds(2 / Double(first.rate))
        #expect(elapsed > begun.duration(to: ended) - coarse)
        #expect(elapsed < before.duration(to: after) + coarse)
        #expect(first.rate == second.rate)
    }
}
