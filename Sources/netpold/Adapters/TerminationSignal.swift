import Foundation
import Glibc

/// SIGTERM and SIGINT as something to wait for.
enum TerminationSignal {
    /// Waits for the first of them; answers its name.
    static func wait() async -> String {
        let signals = [(SIGTERM, "SIGTERM"), (SIGINT, "SIGINT")]
        let (stream, continuation) = AsyncStream.makeStream(of: String.self)
        let sources = signals.map { number, name in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler { continuation.yield(name) }
            source.resume()
            return source
        }
        defer { for source in sources { source.cancel() } }
        for await name in stream { return name }
        return "the end"
    }
}
