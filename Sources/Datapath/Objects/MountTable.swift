import Glibc
import Support

/// The mounts of a mount namespace, as `/proc/<pid>/mountinfo` lists them.
enum MountTable {
    /// One line of it.
    struct Mount: Hashable {
        /// Number of the file system, `0:39`.
        var device: String
        /// Where it is mounted.
        var point: String
        /// `bpf`, `ext4`, ...
        var type: String
        /// Whether mounts come to it from another namespace, or go from it to others.
        var isPropagated: Bool

        /// Reads `48 23 0:39 / /sys/fs/bpf rw,relatime shared:7 - bpf bpffs rw,mode=700`; `nil` for another line.
        init?(line: some StringProtocol) {
            let words = line.split(separator: " ")
            guard words.count > 6, let dash = words[6...].firstIndex(of: "-"), dash + 1 < words.endIndex else {
                return nil
            }
            device = String(words[2])
            point = MountTable.unescaped(words[4])
            type = String(words[dash + 1])
            isPropagated = words[6..<dash].contains { $0.hasPrefix("shared:") || $0.hasPrefix("master:") }
        }
    }

    /// Reads a file of that form; nothing when it cannot be read.
    static func read(_ path: String) -> [Mount] {
        guard let bytes = try? FileContent.read(path, limit: 16 << 20) else { return [] }
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n").compactMap { Mount(line: $0) }
    }

    /// Blanks in paths are written as octal numbers.
    private static func unescaped(_ text: some StringProtocol) -> String {
        var result = String(text)
        for (escape, character) in [("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")] {
            result.replace(escape, with: character)
        }
        return result
    }
}
