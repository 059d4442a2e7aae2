import Glibc
import Synchronization

/// The credential plugin that runs at the moment, so that others than the thread that waits for it can end it.
final class RunningPlugin: Sendable {
    private let child = Mutex<pid_t?>(nil)

    /// It has been started, as the first of a process group of its own.
    func began(_ number: pid_t) { child.withLock { $0 = number } }

    /// Ends it, and what it has started.
    func end() { child.withLock { if let number = $0 { kill(-number, SIGKILL) } } }

    /// Its wait status if it has ended, -1 if nobody knows; `nil` while it runs. Does not wait.
    ///
    /// Its number is somebody else's from then on: under the same lock it is forgotten.
    func ended() -> Int32? {
        child.withLock { child -> Int32? in
            guard let number = child else { return -1 }
            var status: Int32 = 0
            let found = waitpid(number, &status, WNOHANG)
            if found == 0 || (found < 0 && errno == EINTR) { return nil }
            child = nil
            return found == number ? status : -1
        }
    }
}
