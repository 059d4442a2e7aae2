/// A thread for calls that block, one after the other: files, netlink, whatever waits for somebody else.
public actor BlockingThread {
    private let executor: ThreadExecutor

    /// Where the calls run.
    public nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    /// A thread of this name; see `ThreadExecutor`.
    public init(name: String, nice: Int32 = 0) {
        executor = ThreadExecutor(name: name, nice: nice)
    }

    /// Runs `body` on the thread, after what was asked for earlier.
    public func run<Result: Sendable>(_ body: @Sendable () throws -> Result) rethrows -> Result { try body() }
}
