import Foundation
import Glibc

/// SIGHUP as something to act upon.
final class HangupSignal {
    private let source: any DispatchSourceSignal

    /// Calls `body` at each SIGHUP, until `cancel`.
    init(_ body: @escaping @Sendable () -> Void) {
        signal(SIGHUP, SIG_IGN)
        source = DispatchSource.makeSignalSource(signal: SIGHUP, queue: .global())
        source.setEventHandler(handler: body)
        source.resume()
    }

    /// Ends it; further signals are ignored.
    func cancel() { source.cancel() }
}
