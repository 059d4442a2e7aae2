import Agent
import Datapath
import Foundation
import Synchronization

/// Reads verdict events on a thread of its own until it is stopped.
final class EventThread: Sendable {
    /// The reader on its way to the thread. Unchecked: handed over once, used by that thread only.
    private struct Handover: @unchecked Sendable {
        let reader: RingBufferReader
    }

    private enum State {
        case running, stopping, ended
    }

    private let state = Mutex(State.running)
    private let ended = DispatchSemaphore(value: 0)

    /// Begins to read.
    init(_ reader: RingBufferReader, _ deliver: @escaping @Sendable ([VerdictRecord]) -> Void) {
        let handover = Handover(reader: reader)
        Thread.detachNewThread {
            let reader = handover.reader
            while self.state.withLock({ $0 == .running }) {
                // A ring that cannot be read has nothing more to tell; the counters still have.
                guard let events = try? reader.read() else { break }
                if !events.isEmpty { deliver(events.map(VerdictRecord.init)) }
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

extension VerdictRecord {
    /// A record of the datapath.
    fileprivate init(_ event: VerdictEvent) {
        self.init(
            source: event.source, destination: event.destination, sourcePort: event.sourcePort,
            destinationPort: event.destinationPort, protocol: event.protocol, slot: event.slot,
            direction: event.direction, remoteIdentity: event.remoteIdentity, ruleHit: event.ruleHit,
            revision: event.revision, reason: event.reason, length: event.length)
    }
}
