import Glibc
import Support
import SystemPackage

/// Runs code inside a network namespace without moving the caller there: on a thread of its own that ends afterwards.
///
/// A namespace belongs to a thread, and threads of Swift's pool are shared; so none of them ever enters one. Sockets
/// opened inside stay in their namespace and may be used from any thread.
enum NamespaceThread {
    /// What the thread gets: the work, and a place for its answer. The caller is blocked while the thread lives, so
    /// they never touch it at the same time.
    private final class Job {
        let work: () -> Void
        init(_ work: @escaping () -> Void) { self.work = work }
    }

    /// Calls `enter` and then `body` on a new thread and waits for it.
    static func run<Value>(
        enter: () throws(SystemError) -> Void, _ body: () throws -> Value
    ) throws -> Value {
        try withoutActuallyEscaping(enter) { enter in
            try withoutActuallyEscaping(body) { body in
                var result: Result<Value, any Error>?
                let job = Job {
                    result = Result {
                        try enter(); return try body()
                    }
                }
                let handle = Unmanaged.passRetained(job)
                var thread = pthread_t()
                let status = pthread_create(
                    &thread, nil,
                    { argument in
                        if let argument {
                            Unmanaged<Job>.fromOpaque(argument).takeUnretainedValue().work()
                        }
                        return nil
                    }, handle.toOpaque())
                guard status == 0 else {
                    handle.release()
                    throw SystemError("start", "namespace thread", Errno(rawValue: status))
                }
                pthread_join(thread, nil)
                handle.release()
                guard let result else {
                    throw SystemError("run", "namespace thread", nil, detail: "ended without an answer")
                }
                return try result.get()
            }
        }
    }
}
