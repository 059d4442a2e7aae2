import Foundation

/// A folder of its own for one test, removed with it.
public final class ScratchFolder: Sendable {
    /// Its path.
    public let path: String

    /// Makes it.
    public init() throws {
        let url = FileManager.default.temporaryDirectory.appending(path: "netpold-\(UUID().uuidString.prefix(8))")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        path = url.path(percentEncoded: false)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// The path of a name in it.
    public func file(_ name: String) -> String { "\(path)/\(name)" }

    /// Writes a file in it.
    public func write(_ name: String, _ text: String, atomically: Bool = false) throws {
        try text.write(toFile: file(name), atomically: atomically, encoding: .utf8)
    }

    /// Makes a folder in it.
    public func folder(_ name: String) throws {
        try FileManager.default.createDirectory(atPath: file(name), withIntermediateDirectories: true)
    }
}
