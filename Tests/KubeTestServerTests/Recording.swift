import PolicyAPI

import struct Foundation.Data
import class Foundation.FileManager
import struct Foundation.URL

/// One recorded exchange with a kube-apiserver.
struct Recording {
    let name: String
    /// The request's bytes.
    let request: [UInt8]
    let answer: RawAnswer
    /// Whether the recorder has left out a part of the answer.
    let isTrimmed: Bool

    static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "KubeRecordings")

    /// Reads a recording by the beginning of its name, such as `b/03`.
    init(_ prefix: String) throws {
        let parts = prefix.split(separator: "/")
        let group = Recording.folder.appending(path: String(parts[0]))
        let names = try FileManager.default.contentsOfDirectory(atPath: group.path).sorted()
        guard let file = names.first(where: { $0.hasPrefix(parts[1]) }) else { throw Missing(name: prefix) }
        name = "\(parts[0])/\(file)"
        let bytes = [UInt8](try Data(contentsOf: group.appending(path: file)))
        let marker = Array("### response ###\n".utf8)
        let end = Array("\n### end: ".utf8)
        guard let middle = bytes.firstRange(of: marker), let last = bytes.lastRange(of: end) else {
            throw Missing(name: prefix)
        }
        let head = String(decoding: bytes[..<middle.lowerBound], as: UTF8.self)
        request = Recording.request(head)
        let response = Array(bytes[middle.upperBound..<last.lowerBound])
        isTrimmed = response.firstRange(of: Array("### trimmed".utf8)) != nil
        answer = RawAnswer(response)
    }

    struct Missing: Error { let name: String }

    /// The request with the line ends of HTTP.
    private static func request(_ text: String) -> [UInt8] {
        let plain = text.replacing("\r\n", with: "\n")
        guard let end = plain.firstRange(of: "\n\n") else { return Array(plain.utf8) }
        let head = plain[..<end.lowerBound].split(separator: "\n").joined(separator: "\r\n")
        var body = plain[end.upperBound...]
        while body.last == "\n" { body = body.dropLast() }
        while body.first == "\n" { body = body.dropFirst() }
        return Array(head.utf8) + Array("\r\n\r\n".utf8) + Array(body.utf8)
    }
}

/// An HTTP/1.1 answer taken apart.
struct RawAnswer {
    var status = ""
    var headers: [(name: String, value: String)] = []
    var body: [UInt8] = []
    /// The sizes of its chunks; empty without chunks.
    var chunks: [Int] = []
    /// Whether it has come to its end: all of its length, or the last chunk.
    var isComplete = false

    init(_ bytes: [UInt8]) {
        guard let end = bytes.firstRange(of: Array("\r\n\r\n".utf8)) else { return }
        let lines = String(decoding: bytes[..<end.lowerBound], as: UTF8.self).split(separator: "\r\n")
        status = lines.first.map { String($0) } ?? ""
        headers = lines.dropFirst().compactMap { line in
            line.firstRange(of: ": ").map { (line[..<$0.lowerBound].lowercased(), String(line[$0.upperBound...])) }
        }
        var rest = bytes[end.upperBound...]
        guard header("transfer-encoding") == "chunked" else {
            body = Array(rest)
            let length = header("content-length").flatMap { Int($0) } ?? 0
            isComplete = body.count >= length
            body = Array(body.prefix(length))
            return
        }
        while let line = rest.firstRange(of: Array("\r\n".utf8)),
            let size = Int(String(decoding: rest[..<line.lowerBound], as: UTF8.self), radix: 16)
        {
            rest = rest[line.upperBound...]
            guard size > 0 else {
                isComplete = true
                break
            }
            chunks.append(size)
            body += rest.prefix(size)
            rest = rest.dropFirst(size + 2)
        }
    }

    func header(_ name: String) -> String? { headers.first { $0.name == name }?.value }

    var code: Int { status.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0 }

    var text: String { String(decoding: body, as: UTF8.self) }

    /// The lines of a watch.
    var lines: [String] { text.split(separator: "\n").map { String($0) } }
}

extension RandomAccessCollection where Element: Equatable {
    /// The last place of some elements.
    func lastRange(of other: [Element]) -> Range<Index>? {
        var start = index(endIndex, offsetBy: -Swift.min(other.count, count))
        while true {
            if self[start...].starts(with: other) { return start..<index(start, offsetBy: other.count) }
            guard start > startIndex else { return nil }
            start = index(before: start)
        }
    }
}
