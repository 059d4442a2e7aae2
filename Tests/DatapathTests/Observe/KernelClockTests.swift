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
    func runs() async throws {
        let clock = try KernelClock()
        let first = try clock.now()
        try await Task.sleep(for: .milliseconds(300))
        let second = try clock.now()
        let elapsed = Double(second.jiffies - first.jiffies) / Double(first.rate)
        // At least as long as slept, less one jiffy; a busy machine makes it longer.
        #expect(elapsed > 0.28)
        #expect(elapsed < 30)
        #expect(first.rate == second.rate)
    }
}
