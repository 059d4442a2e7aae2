#if DEBUG
    import SystemPackage

    /// Makes the nth C call of a kind fail, in debug builds only: how tests reach error paths that a healthy kernel never
    /// takes. Bound to a task, so tests that run beside one another do not meet.
    final class InjectedFault: @unchecked Sendable {
        /// The fault of the running task.
        @TaskLocal static var current: InjectedFault?

        // Sendable: only the task that it is bound to touches it; the funnel is synchronous.
        private let operation: BPFOperation?
        private let errno: Errno
        private var remaining: Int
        private let isFatal: Bool

        /// Fails the call number `call` (from 0) of the operation (`nil`: of any) with `errno`.
        ///
        /// - Parameters:
        ///   - operation: the kind.
        ///   - call: its number.
        ///   - errno: what it fails with.
        ///   - isFatal: whether all calls after it fail too, whatever they are for: as if the process had been killed.
        init(_ operation: BPFOperation?, call: Int = 0, errno: Errno, isFatal: Bool = false) {
            self.isFatal = isFatal
            self.operation = operation
            self.errno = errno
            self.remaining = call
        }

        /// Whether the fault has happened.
        private(set) var fired = false
        /// Calls of each kind before the fault.
        private(set) var calls: [BPFOperation: Int] = [:]

        /// The errno to fail with, if it is this call's turn.
        func next(_ operation: BPFOperation) -> Errno? {
            if fired { return isFatal ? errno : nil }
            calls[operation, default: 0] += 1
            guard self.operation == nil || self.operation == operation else { return nil }
            defer { remaining -= 1 }
            guard remaining == 0 else { return nil }
            fired = true
            return errno
        }
    }
#endif
