import Foundation
import Testing

/// The body of one recorded answer of a kube-apiserver (Tests/KubeRecordings), with its chunks put together.
struct Recording {
    /// The HTTP status.
    let status: Int
    /// The body; whole, unless the recorder has left something out.
    let body: [UInt8]
    /// Whether the recorder has left something out.
    let isTrimmed: Bool

    private static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "KubeRecordings")

    /// All recordings, such as `b/01-list-limit10.http`.
    static let names: [String] = {
        let all = FileManager.default.enumerator(atPath: folder.path)?.compactMap { $0 as? String } ?? []
        return all.filter { $0.hasSuffix(".http") }.sorted()
    }()

    init(_ name: String) throws {
        let bytes = [UInt8](try Data(contentsOf: Recording.folder.appending(path: name)))
        let start = try #require(bytes.firstRange(of: Array("### response ###\n".utf8)), "\(name)").upperBound
        let answer = bytes[start...]
        let end = answer.firstRange(of: Array("\n### end: ".utf8))?.lowerBound ?? answer.endIndex
        let response = answer[..<end]
        isTrimmed = response.firstRange(of: Array("### trimmed".utf8)) != nil
        let headEnd = response.firstRange(of: Array("\r\n\r\n".utf8)) ?? response.endIndex..<response.endIndex
        let head = String(decoding: response[..<headEnd.lowerBound], as: UTF8.self)
        status = Int(head.split(separator: " ").dropFirst().first ?? "") ?? 0
        var rest = response[headEnd.upperBound...]
        guard head.lowercased().contains("transfer-encoding: chunked") else {
            body = Array(rest)
            return
        }
        var body: [UInt8] = []
        while let line = rest.firstRange(of: Array("\r\n".utf8)),
            let size = Int(String(decoding: rest[..<line.lowerBound], as: UTF8.self), radix: 16), size > 0
        {
            rest = rest[line.upperBound...]
            body += rest.prefix(size)
            rest = rest.dropFirst(size + 2)
        }
        self.body = body
    }
}
