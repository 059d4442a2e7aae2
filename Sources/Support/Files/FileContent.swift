import Glibc
import SystemPackage

/// Reads and writes what a file holds.
public enum FileContent {
    /// At most `limit` bytes of a file; `-` is standard input.
    public static func read(_ path: String, limit: Int) throws(SystemError) -> [UInt8] {
        if path == "-" { return try SystemError.wrap("read", path) { try read(.standardInput, limit: limit) } }
        let file = try SystemError.wrap("open", path) { try OwnedDescriptor(opening: path, .readOnly) }
        return try SystemError.wrap("read", path) { try file.use { try read($0, limit: limit) } }
    }

    /// At most `limit` bytes of a regular file, and which version of it they are; no version if it changed meanwhile.
    ///
    /// Never waits: somebody may put a pipe in the place of the file that was looked at.
    public static func readRegular(_ path: String, limit: Int) throws(SystemError) -> (
        bytes: [UInt8], version: FileVersion?
    ) {
        let options: FileDescriptor.OpenOptions = [.nonBlocking, .init(rawValue: O_NOCTTY)]
        let file = try SystemError.wrap("open", path) {
            try OwnedDescriptor(opening: path, .readOnly, options: options)
        }
        let before = try SystemError.wrap("stat", path) { try file.use { try Stat($0) } }
        guard before.type == .regular else {
            throw SystemError("read", path, nil, detail: "this is not a regular file", hint: "put a file in its place")
        }
        let bytes = try SystemError.wrap("read", path) { try file.use { try read($0, limit: limit) } }
        let after = try? file.use { try Stat($0) }
        let version = FileVersion(before)
        return (bytes, after.map { FileVersion($0) } == version ? version : nil)
    }

    private static func read(_ descriptor: FileDescriptor, limit: Int) throws -> [UInt8] {
        var bytes: [UInt8] = []
        var block = [UInt8](repeating: 0, count: 1 << 16)
        while bytes.count < limit {
            let room = min(block.count, limit - bytes.count)
            let count = try block.withUnsafeMutableBytes { try descriptor.read(into: .init(rebasing: $0[..<room])) }
            if count == 0 { break }
            bytes += block[..<count]
        }
        return bytes
    }
}
