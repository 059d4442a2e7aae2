import SystemPackage

/// Reads what a file holds.
public enum FileContent {
    /// At most `limit` bytes of a file; `-` is standard input.
    public static func read(_ path: String, limit: Int) throws(SystemError) -> [UInt8] {
        if path == "-" { return try SystemError.wrap("read", path) { try read(.standardInput, limit: limit) } }
        let file = try SystemError.wrap("open", path) { try OwnedDescriptor(opening: path, .readOnly) }
        return try SystemError.wrap("read", path) { try file.use { try read($0, limit: limit) } }
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
