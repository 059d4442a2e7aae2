import BPFEmit
import Foundation
import Synchronization

/// Reads verdict events on a thread of its own until it is stopped.
final class EventThread: Sendable {
    /// The reader on its way to the thread. Unchecked: handed over once, used by that thread only; the maps it shares with
    /// the datapath are descriptors that do not change.
    private struct Handover: @unchecked Sendable {
        let reader: any VerdictReader
    }

    private enum State {
        case running, stopping, ended
    }

    private let state = Mutex(State.running)
    private let ended = DispatchSemaphore(value: 0)

    /// Begins to read.
    init(_ reader: any VerdictReader, _ deliver: @escaping @Sendable ([VerdictRecord]) -> Void) {
        let handover = Handover(reader: reader)
        Thread.detachNewThread {
            let reader = handover.reader
            while self.state.withLock({ $0 == .running }) {
                // A ring that cannot be read has nothing more to report; the counters still have.
                guard let records = try? reader.read() else { break }
                if !records.isEmpty { deliver(records) }
            }
            try? reader.stop()
            self.state.withLock { $0 = .ended }
            self.ended.signal()
        }
    }

    /// Ends reading; returns when the datapath knows that nobody listens.
    func stop() {
        let isRunning = state.withLock { state in
            defer { if state == .running { state = .stopping } }
            return state != .ended
        }
        if isRunning { ended.wait() }
    }
}
