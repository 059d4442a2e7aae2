import Dispatch
import Glibc
import Synchronization

/// Takes signals over from the moment it is made: they do not end the process any more, but are told here. The one place
/// where netpold handles signals.
public final class SignalListener: Sendable {
    private final class Seen: Sendable {
        let first = Mutex<Int32?>(nil)
    }

    /// What came, in order; at most 16 of them are kept for a reader that is late.
    public let received: AsyncStream<Int32>
    private let seen = Seen()
    // Never touched after `init`: only kept, for a source that nobody holds tells nothing.
    private nonisolated(unsafe) let sources: [any DispatchSourceSignal]

    /// Listens to these signals.
    public init(_ signals: [Int32]) {
        let (stream, continuation) = AsyncStream.makeStream(of: Int32.self, bufferingPolicy: .bufferingOldest(16))
        received = stream
        let queue = DispatchQueue(label: "netpold.signals")
        sources = signals.map { [seen] number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
            source.setEventHandler {
                seen.first.withLock { $0 = $0 ?? number }
                continuation.yield(number)
            }
            source.activate()
            return source
        }
    }

    /// The first signal that came, if any.
    public var earliest: Int32? { seen.first.withLock(\.self) }

    /// `SIGTERM`, `SIGINT`, ... of the numbers that netpold listens to.
    public static func name(of number: Int32) -> String {
        switch number {
        case SIGTERM: "SIGTERM"
        case SIGINT: "SIGINT"
        case SIGHUP: "SIGHUP"
        default: "signal \(number)"
        }
    }
}
