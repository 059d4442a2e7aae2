import Dispatch
import Glibc
import Synchronization

/// Turns SIGINT, SIGTERM and SIGHUP into an error at the next `check`, so that everything is cleaned up on the way out.
public final class Interrupt {
    /// A signal has come.
    public struct Signalled: Error {
        /// Its number.
        public var number: Int32
    }

    private final class Flag: Sendable {
        let received = Mutex<Int32?>(nil)
    }

    private let flag = Flag()
    private let sources: [any DispatchSourceSignal]

    /// Listens from now on.
    public init() {
        let queue = DispatchQueue(label: "netpold.signals")
        sources = [SIGINT, SIGTERM, SIGHUP].map { [flag] number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
            source.setEventHandler { flag.received.withLock { $0 = $0 ?? number } }
            source.activate()
            return source
        }
    }

    /// - Throws: `Signalled` once a signal has come.
    public func check() throws {
        if let number = flag.received.withLock({ $0 }) { throw Signalled(number: number) }
    }
}
