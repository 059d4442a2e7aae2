import Glibc

/// A thread that runs beside a test until it is joined.
public final class BackgroundThread {
    private final class Job {
        let body: () -> Void
        init(_ body: @escaping () -> Void) { self.body = body }
    }

    private var thread = pthread_t()

    /// Runs `body`, which must end when the test tells it to.
    ///
    /// - Throws: when there is no more thread to be had.
    public init(_ body: @escaping () -> Void) throws {
        let status = pthread_create(
            &thread, nil,
            { argument in
                if let argument { Unmanaged<Job>.fromOpaque(argument).takeRetainedValue().body() }
                return nil
            }, Unmanaged.passRetained(Job(body)).toOpaque())
        guard status == 0 else { throw NoThread(status: status) }
    }

    /// Waits for its end.
    public func join() { pthread_join(thread, nil) }

    /// `pthread_create` failed.
    public struct NoThread: Error {
        /// The errno.
        public let status: Int32
    }
}
