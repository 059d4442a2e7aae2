import Synchronization

/// What the server keeps, behind one lock: requests, tests and timers come from different threads.
final class ClusterStore: Sendable {
    private let state: Mutex<ClusterState>

    init(_ state: ClusterState) { self.state = Mutex(state) }

    /// Runs with the state. Signals of watches are given out under the lock, so that they come in the order of versions.
    func withState<Result>(_ body: (inout ClusterState) throws(APIStatus) -> Result) throws(APIStatus) -> sending Result
    where Result: Sendable {
        let result = state.withLock { state -> Swift.Result<Result, APIStatus> in
            do throws(APIStatus) { return .success(try body(&state)) } catch { return .failure(error) }
        }
        return try result.get()
    }

    /// As the other, for what cannot fail.
    func with<Result: Sendable>(_ body: (inout ClusterState) -> Result) -> Result {
        state.withLock { body(&$0) }
    }
}
