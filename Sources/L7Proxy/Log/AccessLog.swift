internal import Dispatch
internal import Glibc
internal import Synchronization

/// Writes lines to a file descriptor, on a thread of its own: no event loop waits for a disk. When the reader is slower than the
/// requests, lines are dropped and counted.
public final class AccessLog: Sendable {
    /// How a line is written.
    public enum Format: String, CaseIterable, Sendable {
        /// For people: time, decision, status, time taken, request, rule.
        case text
        /// One JSON object a line (docs/reference/access-log.md).
        case json
    }

    /// The most bytes that wait to be written.
    public static let capacity = 4 << 20

    private struct State {
        var waiting: [UInt8] = []
        /// Written out, and kept for its memory.
        var spare: [UInt8] = []
        var isWriting = false
        var dropped: UInt64 = 0
    }

    /// How its lines are written.
    public let format: Format
    private let state = Mutex(State())
    private let descriptor: CInt
    private let queue = DispatchQueue(label: "netpold.access-log")

    /// A log to a descriptor, which stays the caller's.
    public init(descriptor: CInt, format: Format = .json) {
        self.descriptor = descriptor
        self.format = format
    }

    /// The lines that were dropped.
    public var dropped: UInt64 { state.withLock { $0.dropped } }

    /// Adds whole lines: so many.
    func add(_ lines: [UInt8], count: Int) {
        let begins = state.withLock { state in
            guard state.waiting.count + lines.count <= AccessLog.capacity else {
                state.dropped += UInt64(count)
                return false
            }
            state.waiting += lines
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
                if state.waiting.isEmpty { state.isWriting = false }
                let bytes = state.waiting
                state.waiting = state.spare
                state.spare = []
                return bytes
            }
            if bytes.isEmpty { return }
            writeAll(bytes)
            var emptied = bytes
            emptied.removeAll(keepingCapacity: true)
            let spare = emptied
            state.withLock { $0.spare = spare }
        }
    }

    private func writeAll(_ bytes: [UInt8]) {
        var from = 0
        while from < bytes.count {
            let count = bytes.withUnsafeBytes { bytes in
                bytes.baseAddress.map { Glibc.write(descriptor, $0 + from, bytes.count - from) } ?? 0
            }
            if count < 0, errno == EINTR { continue }
            // The reader is gone: what cannot be written is lost.
            guard count > 0 else { return }
            from += count
        }
    }
}
