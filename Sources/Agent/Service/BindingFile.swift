import Foundation
import Glibc

/// The bindings on disk, beside the agent's other run-time files: they live as long as the machine is up, like the pinned maps.
public struct BindingFile: Sendable {
    /// More than any node's bindings take: 4,096 interfaces with 4 KiB each.
    private static let limit = 16 << 20

    private let path: String

    /// The file at a path, which need not exist.
    public init(path: String) { self.path = path }

    /// What an earlier agent wrote; `nil` when there is nothing.
    ///
    /// - Throws: `SystemFailure` when there is a file that cannot be read, or is not what an agent writes. The agent then starts
    ///   without: from first bindings, and what is pinned.
    public func load() throws(SystemFailure) -> BindingRecords? {
        guard let file = FileManager.default.contents(atPath: path) else {
            guard access(path, F_OK) == 0 else { return nil }
            throw SystemFailure("read", path)
        }
        guard file.count <= BindingFile.limit, let records = try? JSONDecoder().decode(BindingRecords.self, from: file)
        else { throw SystemFailure("read", path, code: EBADMSG, hint: "it is not what an agent writes; it is ignored") }
        return records
    }

    /// Writes the bindings, in place of those before, in one step and for root only.
    ///
    /// - Throws: when they cannot be written. The bindings are in force all the same; a restart would not know them.
    public func save(_ records: BindingRecords) throws(SystemFailure) {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        guard let data = try? encoder.encode(records) else { throw SystemFailure("write", path, code: EINVAL) }
        let draft = "\(path).new"
        let file = open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard file >= 0 else { throw SystemFailure("write", draft) }
        let written = data.withUnsafeBytes { bytes -> Bool in
            var rest = bytes[...]
            while !rest.isEmpty {
                let count = write(file, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { return false }
                rest = rest.dropFirst(count)
            }
            return true
        }
        let code = errno
        close(file)
        guard written else { throw SystemFailure("write", draft, code: code) }
        guard rename(draft, path) == 0 else { throw SystemFailure("write", path) }
    }
}
