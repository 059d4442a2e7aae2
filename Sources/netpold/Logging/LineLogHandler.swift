import Foundation
import Logging

/// Writes log messages in a `LogFormat`.
struct LineLogHandler: LogHandler {
    let format: LogFormat
    let writer: LogWriter
    var logLevel = Logger.Level.notice
    var metadata: Logger.Metadata = [:]
    var metadataProvider: Logger.MetadataProvider?

    init(_ format: LogFormat) {
        self.format = format
        writer = LogWriter { lost in
            format.line(
                "log lines were lost: they are read too slowly", .warning, Date(), ["lost": .stringConvertible(lost)])
        }
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let about = metadata.merging(metadataProvider?.get() ?? [:]) { $1 }.merging(event.metadata ?? [:]) { $1 }
        writer.add(format.line("\(event.message)", event.level, Date(), about))
    }
}
