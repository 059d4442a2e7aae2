import Dispatch
import Foundation
import Glibc
import Synchronization

/// Runs the jobs of an actor on one thread that belongs to nobody else, so that what blocks there holds up neither the
/// cooperative pool nor any other actor. The thread ends with the executor.
public final class ThreadExecutor: SerialExecutor {
    /// What the thread works through. Apart from the executor, which the thread must not keep alive.
    private final class Jobs: Sendable {
        private struct State {
            var waiting: [UnownedJob] = []
            var isEnding = false
        }

        private let state = Mutex(State())
        private let signal = DispatchSemaphore(value: 0)

        func add(_ job: UnownedJob) {
            state.withLock { $0.waiting.append(job) }
            signal.signal()
        }

        func end() {
            state.withLock { $0.isEnding = true }
            signal.signal()
        }

        /// The jobs that are waiting, at least one; `nil` at the end.
        func next() -> [UnownedJob]? {
            while true {
                signal.wait()
                let (jobs, isEnding) = state.withLock { state in
                    defer { state.waiting = [] }
                    return (state.waiting, state.isEnding)
                }
                if !jobs.isEmpty { return jobs }
                if isEnding { return nil }
            }
        }
    }

    private let jobs = Jobs()

    /// An executor whose thread has this name (at most 15 bytes of it are shown) and yields to others by `nice`.
    ///
    /// - Parameters:
    ///   - name: what `ps -L` and debuggers call the thread.
    ///   - nice: added to the thread's nice value; 0 to 19, higher runs later.
    public init(name: String, nice: Int32 = 0) {
        let jobs = jobs
        // Only the executor's address is kept, for the runtime to compare: it is never followed once the executor is gone,
        // for no job is left then.
        let identity = UnownedExecutor(value: UnownedSerialExecutor(ordinary: self))
        let thread = Thread {
            if nice > 0 { ThreadExecutor.yieldToOthers(nice) }
            while let next = jobs.next() {
                for job in next { job.runSynchronously(on: identity.value) }
            }
        }
        thread.name = name
        thread.start()
    }

    deinit { jobs.end() }

    /// Takes a job.
    public func enqueue(_ job: consuming ExecutorJob) { jobs.add(UnownedJob(job)) }

    /// The executor as actors name it.
    public func asUnownedSerialExecutor() -> UnownedSerialExecutor { UnownedSerialExecutor(ordinary: self) }

    private struct UnownedExecutor: Sendable {
        let value: UnownedSerialExecutor
    }

    private static func yieldToOthers(_ nice: Int32) {
        // On Linux this is about the calling thread, whatever POSIX says.
        _ = setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, nice)
    }
}
