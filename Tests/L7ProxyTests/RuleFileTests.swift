import Foundation
import Glibc
import ProxyRules
import Support
import Synchronization
import Testing

@testable import L7Proxy

@Suite("the file of the proxy's rules")
struct RuleFileTests {
    /// Waits for `isTrue`, ten seconds at most.
    private static func eventually(_ isTrue: () -> Bool) -> Bool {
        for _ in 0..<1_000 where !isTrue() { usleep(10_000) }
        return isTrue()
    }

    private static func events(
        of path: String, into source: RuleSource,
        reading: @escaping RuleFile.Reading, _ body: (Log) throws -> Void
    ) rethrows {
        let seen = Log()
        let file = RuleFile(path, into: source, reading: reading) { event in
            let text =
                switch event {
                case .taken(let revision, _): "taken \(revision)"
                case .absent: "absent"
                case .refused: "refused"
                }
            seen.events.withLock { $0.append(text) }
        }
        file.start()
        defer { file.stop() }
        try body(seen)
    }

    private final class Log: Sendable {
        let events = Mutex<[String]>([])
        var all: [String] { events.withLock { $0 } }
    }

    @Test("what the system refuses to read for a while is read when it does not, and told of once")
    func readLater() throws {
        let path = NSTemporaryDirectory() + "/netpold-rules-\(UUID().uuidString)"
        try RuleSnapshot(revision: 7, policies: []).json().write(to: URL(filePath: path))
        defer { unlink(path) }
        let source = RuleSource(try RuleBook(RuleSnapshot(revision: 0, policies: [])))
        let left = Log()
        try Self.events(of: path, into: source) { path throws(SystemError) in
            let count = left.events.withLock { events in
                events.append("")
                return events.count
            }
            if count < 4 { throw SystemError("open", path, .tooManyOpenFiles) }
            return try FileContent.readRegular(path, limit: 1 << 20)
        } _: { events in
            #expect(Self.eventually { source.book.revision == 7 })
            #expect(Self.eventually { events.all == ["refused", "taken 7"] })
        }
    }

    @Test("what is no snapshot is read once")
    func readOnce() throws {
        let path = NSTemporaryDirectory() + "/netpold-rules-\(UUID().uuidString)"
        try Data("nonsense".utf8).write(to: URL(filePath: path))
        defer { unlink(path) }
        let source = RuleSource(try RuleBook(RuleSnapshot(revision: 0, policies: [])))
        let reads = Log()
        try Self.events(of: path, into: source) { path throws(SystemError) in
            reads.events.withLock { $0.append("") }
            return try FileContent.readRegular(path, limit: 1 << 20)
        } _: { events in
            usleep(400_000)
            #expect(events.all == ["refused"])
            #expect(reads.all.count == 1)
        }
    }
}
