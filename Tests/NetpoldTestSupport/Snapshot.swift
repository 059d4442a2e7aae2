import Foundation

/// Compares text with a file beside the tests.
public enum Snapshot {
    /// Compares a text with a file.
    ///
    /// - Parameters:
    ///   - text: the text.
    ///   - name: the file, in the folder `Tests/Golden`: outside the test targets, which hold sources only.
    /// - Returns: the first difference, or `nil`. With `RECORD_SNAPSHOTS` set, or without a file, the text is written, which
    ///   counts as a difference.
    public static func difference(_ text: String, _ name: String) -> String? {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent("Golden")
        let url = folder.appendingPathComponent(name)
        let record = ProcessInfo.processInfo.environment["RECORD_SNAPSHOTS"] != nil
        guard !record, let data = try? Data(contentsOf: url) else {
            try? FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            try? Data(text.utf8).write(to: url)
            return "recorded \(url.path); run the test again"
        }
        let golden = String(decoding: data, as: UTF8.self)
        if golden == text { return nil }
        let old = golden.split(separator: "\n", omittingEmptySubsequences: false)
        let new = text.split(separator: "\n", omittingEmptySubsequences: false)
        let line =
            zip(old, new).enumerated().first { $0.element.0 != $0.element.1 }?.offset ?? min(old.count, new.count)
        func at(_ lines: [Substring]) -> Substring { line < lines.count ? lines[line] : "(end)" }
        return "\(name):\(line + 1): expected\n  \(at(old))\ngot\n  \(at(new))"
    }
}
