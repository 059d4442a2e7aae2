internal import Dispatch
internal import Glibc
internal import Synchronization

/// Writes lines to a file descriptor, on a thread of its own: no event loop waits for a disk. When the reader is slower than the
/// requests, lines are dropped and counted.
public final class AccessLog: Sendable {
    /// The most bytes that wait to be written.
    public static let capacity = 4 << 20

    private struct State {
        var waiting: [UInt8] = []
        var isWriting = false
        var dropped: UInt64 = 0
    }

    private let state = Mutex(State())
    private let descriptor: CInt
    private let queue = DispatchQueue(label: "netpold.access-log")

    /// A log to a descriptor, which stays the caller's.
    public init(descriptor: CInt) { self.descriptor = descriptor }

    /// The lines that were dropped.
    public var dropped: UInt64 { state.withLock { $0.dropped } }

    /// Adds a line with its end.
    func add(_ line: [UInt8]) {
        let begins = state.withLock { state in
            guard state.waiting.count + line.count <= AccessLog.capacity else {
                state.dropped += 1
                return false
            }
            state.waiting += line
            defer { state.isWriting = true }
            return !state.isWriting
        }
        if begins { queue.async { self.write() } }
    }

    /// Waits until what was added before is written.
    public func flush() { queue.sync { write() } }

    private func write() {
        while true {
            let bytes = state.withLock { state in
                defer { state.waiting = [] }
                if state.waiting.isEmpty { state.isWriting = false }
                return state.waiting
            }
            if bytes.isEmpty { return }
            var from = 0
            while from < bytes.count {
                let count = bytes.withUnsafeBytes { bytes in
                    bytes.baseAddress.map { Glibc.write(descriptor, $0 + from, bytes.count - from) } ?? 0
                }
                if count < 0, errno == EINTR { continue }
                // The reader is gone: what cannot be written is lost.
                guard count > 0 else { break }
                from += count
            }
        }
    }
}
