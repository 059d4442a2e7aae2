import Foundation
import Glibc
public import Support
import SystemPackage

/// The bindings on disk, beside the agent's other run-time files: they live as long as the machine is up, like the pinned maps.
public struct BindingFile: Sendable {
    /// More than any node's bindings take: 4,096 interfaces with 4 KiB each.
    private static let limit = 16 << 20

    private let path: String

    /// The file at a path, which need not exist.
    public init(path: String) { self.path = path }

    /// What an earlier agent wrote; `nil` when there is nothing.
    ///
    /// - Throws: when there is a file that cannot be read, or is not what an agent writes. The agent then starts without: from
    ///   first bindings, and what is pinned.
    public func load() throws(SystemError) -> BindingRecords? {
        let bytes: [UInt8]
        do throws(SystemError) {
            bytes = try FileContent.read(path, limit: BindingFile.limit + 1)
        } catch  where error.errno == .noSuchFileOrDirectory {
            return nil
        }
        guard bytes.count <= BindingFile.limit,
            let records = try? JSONDecoder().decode(BindingRecords.self, from: Data(bytes))
        else {
            throw SystemError("read", path, nil, detail: "not what an agent writes", hint: "it is ignored")
        }
        return records
    }

    /// Writes the bindings, in place of those before, in one step and for root only.
    ///
    /// - Throws: when they cannot be written. The bindings are in force all the same; a restart would not know them.
    public func save(_ records: BindingRecords) throws(SystemError) {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        let draft = "\(path).new"
        try SystemError.wrap("write", draft) {
            let data = try encoder.encode(records)
            let file = try OwnedDescriptor(
                opening: draft, .writeOnly, options: [.create, .truncate, .noFollow], permissions: .ownerReadWrite)
            _ = try file.use { try $0.writeAll(data) }
        }
        try SystemError.check("write", path) { rename(draft, path) }
    }
}
