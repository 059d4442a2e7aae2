import Foundation
public import Support
import SystemPackage

/// A file of an agent's own records, beside its other run-time files: they live as long as the machine is up, like the pinned maps.
public struct RecordFile<Record: Codable & Sendable>: Sendable {
    private let path: String
    /// Of a larger file nothing is taken, bytes.
    private let limit: Int

    /// The file at a path, which need not exist. The default limit is more than 4,096 pods' names take.
    public init(path: String, limit: Int = 256 << 20) {
        self.path = path
        self.limit = limit
    }

    /// What an earlier agent wrote; `nil` when there is nothing.
    ///
    /// - Throws: when there is a file that cannot be read, or is not what an agent writes.
    public func load() throws(SystemError) -> Record? {
        let bytes: [UInt8]
        do throws(SystemError) {
            bytes = try FileContent.read(path, limit: limit + 1)
        } catch  where error.errno == .noSuchFileOrDirectory {
            return nil
        }
        guard bytes.count <= limit, let record = try? JSONDecoder().decode(Record.self, from: Data(bytes)) else {
            throw SystemError("read", path, nil, detail: "not what an agent writes", hint: "it is ignored")
        }
        return record
    }

    /// Writes a record, in place of the one before, in one step and for root only.
    ///
    /// - Throws: when it cannot be written. What it says is in force all the same; a restart would not know it.
    public func save(_ record: Record) throws(SystemError) {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        let data = try SystemError.wrap("write", path) { try encoder.encode(record) }
        try FileContent.replace(path, with: data)
    }
}
