import Datapath
import Foundation
import Support
import Synchronization

/// Runs of programs at the same time, each on a CPU of its own.
enum PinnedRuns {
    /// One of them.
    struct Run: Sendable {
        var program: BPFProgram
        var run: TestRun
    }

    /// What the threads of one call share.
    private final class Shared: Sendable {
        /// How many are on their CPU.
        let ready = Atomic(0)
        let results = Mutex<[Result<Int, BPFError>]>([])
    }

    /// Starts all runs at once and waits for them.
    ///
    /// - Returns: nanoseconds a packet, the mean of the runs.
    /// - Throws: for one that could not be run, or whose CPU the machine does not have.
    static func run(_ runs: [Run], on cpus: [Int]) throws(BPFError) -> Int {
        let shared = Shared()
        let ended = DispatchGroup()
        for (one, cpu) in zip(runs, cpus) {
            ended.enter()
            // A thread that ends: one of a pool would stay on the CPU.
            Thread.detachNewThread {
                let result = Result { () throws(BPFError) in
                    defer { shared.ready.add(1, ordering: .releasing) }
                    do throws(SystemError) { try ThreadCPU.pin(to: cpu) } catch {
                        throw BPFError(.runProgram, "CPU \(cpu)", errno: .invalidArgument, detail: "\(error)")
                    }
                }.flatMap { () in
                    while shared.ready.load(ordering: .acquiring) < runs.count {}
                    return Result { () throws(BPFError) in try one.run.run(one.program).nanoseconds }
                }
                shared.results.withLock { $0.append(result) }
                ended.leave()
            }
        }
        ended.wait()
        var sum = 0
        for result in shared.results.withLock({ $0 }) { sum += try result.get() }
        return sum / max(runs.count, 1)
    }
}
