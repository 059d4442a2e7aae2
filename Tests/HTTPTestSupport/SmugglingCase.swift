import Foundation
internal import HTTPScan

/// A case of Tests/Smuggling: a stream of bytes, and what the scanner must make of it.
public struct SmugglingCase: Sendable, CustomStringConvertible {
    /// The file's name: the class of attacks.
    public let group: String
    /// The case's name.
    public let name: String
    /// The stream.
    public let bytes: [UInt8]
    /// Requests or responses.
    public let kind: ScannedStream.Kind
    /// The events, as `ScanEvent` writes them.
    public let expected: [String]

    /// `content-length/signed-plus`.
    public var description: String { "\(group)/\(name)" }

    /// All cases, by file and in the file's order.
    public static func all() throws -> [SmugglingCase] {
        let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().appending(
            path: "Smuggling")
        let files = try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
            .filter { $0.pathExtension == "txt" }
        return try files.sorted { $0.path < $1.path }.flatMap {
            try read(String(contentsOf: $0, encoding: .utf8), group: $0.deletingPathExtension().lastPathComponent)
        }
    }

    /// Reads a file: `case NAME [answering=METHOD] [offering=websocket]`, lines of bytes behind `|`, and events behind `=`.
    private static func read(_ text: String, group: String) throws -> [SmugglingCase] {
        var cases: [SmugglingCase] = []
        var name = ""
        var kind = ScannedStream.Kind.requests
        var bytes: [UInt8] = []
        var expected: [String] = []
        func finish() throws {
            guard !name.isEmpty else { return }
            guard !expected.isEmpty else { throw CorpusError(description: "\(group)/\(name) expects nothing") }
            cases.append(SmugglingCase(group: group, name: name, bytes: bytes, kind: kind, expected: expected))
        }
        for line in text.split(separator: "\n") {
            if line.hasPrefix("#") { continue }
            if line.hasPrefix("case ") {
                try finish()
                let words = line.split(separator: " ").map(String.init)
                (name, bytes, expected) = (words[1], [], [])
                kind = try self.kind(Array(words[2...]))
            } else if line.hasPrefix("| ") {
                bytes += try unescaped(line.dropFirst(2))
            } else if line.hasPrefix("= ") {
                expected.append(String(line.dropFirst(2)))
            } else {
                throw CorpusError(description: "\(group): what is \(line)?")
            }
        }
        try finish()
        return cases
    }

    private static func kind(_ words: [String]) throws -> ScannedStream.Kind {
        guard !words.isEmpty else { return .requests }
        var method = RequestHead.Method.get
        var upgrade = RequestHead.Upgrade.none
        for word in words {
            switch word {
            case "answering=GET": method = .get
            case "answering=HEAD": method = .head
            case "answering=POST": method = .post
            case "offering=websocket": upgrade = .webSocket
            case "offering=h2c": upgrade = .http2
            default: throw CorpusError(description: "what is \(word)?")
            }
        }
        return .responses(method, upgrade)
    }

    /// `\r`, `\n`, `\t`, `\s` (a space at an end), `\\`, `\xNN`, and `\{COUNT*TEXT}` for repetitions.
    private static func unescaped(_ text: Substring) throws -> [UInt8] {
        var result: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "\\") else {
                result.append(byte)
                continue
            }
            switch rest.popFirst() {
            case UInt8(ascii: "r"): result.append(0x0d)
            case UInt8(ascii: "n"): result.append(0x0a)
            case UInt8(ascii: "t"): result.append(0x09)
            case UInt8(ascii: "s"): result.append(0x20)
            case UInt8(ascii: "\\"): result.append(0x5c)
            case UInt8(ascii: "x"):
                guard let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16) else {
                    throw CorpusError(description: "bad escape in \(text)")
                }
                result.append(value)
                rest = rest.dropFirst(2)
            case UInt8(ascii: "{"):
                let inside = rest.prefix { $0 != UInt8(ascii: "}") }
                rest = rest.dropFirst(inside.count + 1)
                let parts = String(decoding: inside, as: UTF8.self).split(separator: "*", maxSplits: 1)
                guard parts.count == 2, let count = Int(parts[0]) else {
                    throw CorpusError(description: "bad count in \(text)")
                }
                let piece = try unescaped(parts[1])
                for _ in 0..<count { result += piece }
            default: throw CorpusError(description: "bad escape in \(text)")
            }
        }
        return result
    }
}

/// A fault in the corpus itself.
public struct CorpusError: Error, CustomStringConvertible {
    /// What is wrong.
    public let description: String
}
