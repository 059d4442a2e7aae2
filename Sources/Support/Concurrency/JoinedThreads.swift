import Glibc

/// Work of one call on several CPUs, on threads that end with the call.
///
/// Dispatch's threads stay: one that begins while its caller is in a network namespace stays in that namespace, and Swift's pool,
/// which has the same threads, opens its sockets there from then on.
public enum JoinedThreads {
    private final class Job: Sendable {
        let body: @Sendable (Int) -> Void
        let number: Int

        init(_ body: @escaping @Sendable (Int) -> Void, _ number: Int) {
            self.body = body
            self.number = number
        }
    }

    /// Calls `body` with 0 to `count - 1` at once, 0 on the calling thread, and returns when all calls have. Fewer calls where the
    /// system has no more threads: `body` takes its work from what is left, and never relies on another call.
    public static func run(_ count: Int, _ body: @Sendable (Int) -> Void) {
        withoutActuallyEscaping(body) { body in
            var threads: [pthread_t] = []
            for number in 1..<max(1, count) {
                let job = Unmanaged.passRetained(Job(body, number))
                var thread = pthread_t()
                let status = pthread_create(
                    &thread, nil,
                    { argument in
                        if let argument {
                            let job = Unmanaged<Job>.fromOpaque(argument).takeRetainedValue()
                            job.body(job.number)
                        }
                        return nil
                    }, job.toOpaque())
                guard status == 0 else {
                    job.release()
                    break
                }
                threads.append(thread)
            }
            body(0)
            for thread in threads { pthread_join(thread, nil) }
        }
    }
}
