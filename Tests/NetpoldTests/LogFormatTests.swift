import Foundation
import Logging
import Synchronization
import Testing

@testable import netpold

@Suite("lines of the log") struct LogFormatTests {
    private static let time = Date(timeIntervalSince1970: 1.25)
    private static let metadata: Logger.Metadata = [
        "subject": "NetworkPolicy shop/db", "policies": .stringConvertible(3), "plain": "word", "number": "3",
        "applyMilliseconds": .stringConvertible(1.5), "empty": "",
    ]

    @Test("logfmt: time, level and message first, quoted where it must be, numbers plain")
    func logfmt() {
        #expect(
            LogFormat.logfmt.line("policies in force", .notice, Self.time, Self.metadata)
                == "time=1970-01-01T00:00:01.250Z level=notice msg=\"policies in force\" applyMilliseconds=1.5 "
                + "empty=\"\" number=3 plain=word policies=3 subject=\"NetworkPolicy shop/db\"")
    }

    @Test("JSON: time, level and message first, numbers are numbers and texts are texts")
    func json() {
        #expect(
            LogFormat.json.line("policies in force", .notice, Self.time, Self.metadata)
                == #"{"time":"1970-01-01T00:00:01.250Z","level":"notice","msg":"policies in force","#
                + #""applyMilliseconds":1.5,"empty":"","number":"3","plain":"word","policies":3,"#
                + #""subject":"NetworkPolicy shop/db"}"#)
    }

    @Test(
        "no text breaks a line or ends its quotes", arguments: LogFormat.allCases,
        ["a\nlevel=error", "\"", "\\", "\u{1}\u{7f}", "é=\"x\"\t", "}\r\n{"])
    func hostile(format: LogFormat, text: String) throws {
        let line = format.line(text, .error, Self.time, ["subject": "\(text)"])
        #expect(!line.unicodeScalars.contains { $0.value < 0x20 || $0.value == 0x7f })
        guard format == .json else { return }
        let object = try #require(
            try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
        #expect(object["msg"] as? String == text)
        #expect(object["subject"] as? String == text)
    }

    @Test("a reader of the log that does not keep up stops nobody; what it misses is counted")
    func slowReader() {
        let written = Mutex<[String]>([])
        let gate = DispatchSemaphore(value: 0)
        let blocked = DispatchSemaphore(value: 0)
        let writer = LogWriter(
            write: { text in
                blocked.signal()
                gate.wait()
                written.withLock { $0.append(text) }
            }, lossLine: { "lost \($0)" })
        writer.add("first")
        blocked.wait()
        let start = ContinuousClock.now
        for number in 0..<(2 * LogWriter.limit) { writer.add("line \(number)") }
        writer.flush(within: .milliseconds(20))
        #expect(ContinuousClock.now - start < .seconds(10))
        for _ in 0..<8 { gate.signal() }
        writer.flush(within: .seconds(10))
        let text = written.withLock { $0.joined() }
        #expect(text.contains("line 0\n"))
        #expect(text.split(separator: "\n").count == 1 + LogWriter.limit + 1)
        #expect(text.hasSuffix("\nlost \(LogWriter.limit)\n"))
    }
}
