import Glibc
import Support
import SystemPackage

/// Reads small files that somebody else writes.
enum BoundedFile {
    /// Why a file was not read.
    enum Failure: Error, Hashable {
        /// The system refused.
        case system(Errno)
        /// It is not a regular file.
        case notRegular
        /// It has more bytes than allowed.
        case tooLarge
    }

    /// All bytes of a regular file, `limit` at most. Symbolic links are not followed; nothing blocks.
    static func read(_ path: String, limit: Int) throws(Failure) -> [UInt8] {
        do {
            let file = try OwnedDescriptor(opening: path, .readOnly, options: [.noFollow, .nonBlocking])
            return try file.use { try read($0, limit: limit) }
        } catch let failure as Failure {
            throw failure
        } catch {
            throw .system(error as? Errno ?? .ioError)
        }
    }

    private static func read(_ file: FileDescriptor, limit: Int) throws -> [UInt8] {
        guard try Stat(file).type == .regular else { throw Failure.notRegular }
        // One byte more than allowed shows that there are more. /proc says 0 for the size of everything.
        var bytes: [UInt8] = []
        var block = [UInt8](repeating: 0, count: min(limit + 1, 1 << 14))
        while true {
            let count = try block.withUnsafeMutableBytes { try file.read(into: $0) }
            if count == 0 { return bytes }
            bytes += block[..<count]
            guard bytes.count <= limit else { throw Failure.tooLarge }
        }
    }
}

extension BoundedFile.Failure: CustomStringConvertible {
    var description: String {
        switch self {
        case .system(let errno): errno.description
        case .notRegular: "not a regular file"
        case .tooLarge: "too large"
        }
    }
}
