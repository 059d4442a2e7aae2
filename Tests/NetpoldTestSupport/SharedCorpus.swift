import Foundation

/// The manifests that several suites, fuzzing and `make conformance` share: `Tests/Manifests` and `Tests/Conformance`.
public enum SharedCorpus {
    private static let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .path

    /// The manifests below a folder of `Tests`, sorted. A folder that is not there has none, which the suites notice.
    public static func files(under subfolder: String) -> [String] {
        let root = tests + "/" + subfolder
        let names = (try? FileManager.default.subpathsOfDirectory(atPath: root)) ?? []
        return names.filter { $0.hasSuffix(".yaml") }.sorted().map { root + "/" + $0 }
    }

    /// The bytes of a file.
    ///
    /// - Throws: when it cannot be read.
    public static func bytes(_ path: String) throws -> [UInt8] {
        [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
    }
}
