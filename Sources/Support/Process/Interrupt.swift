import Glibc

/// Turns SIGINT, SIGTERM and SIGHUP into an error at the next `check`, so that everything is cleaned up on the way out.
public final class Interrupt {
    /// A signal has come.
    public struct Signalled: Error {
        /// Its number.
        public var number: Int32
    }

    private let signals: SignalListener

    /// Listens from now on.
    public init() { signals = SignalListener([SIGINT, SIGTERM, SIGHUP]) }

    /// - Throws: `Signalled` once a signal has come.
    public func check() throws {
        if let number = signals.earliest { throw Signalled(number: number) }
    }
}
