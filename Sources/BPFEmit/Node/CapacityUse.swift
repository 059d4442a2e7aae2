/// Use of one limit of the datapath.
public struct CapacityUse: Hashable, Codable, Sendable {
    /// The map or table.
    public var name: String
    /// Entries in use; `nil` where counting them says nothing.
    public var used: Int?
    /// Entries it can hold.
    public var limit: Int
    /// Kernel memory, bytes; `nil` when the kernel does not say.
    public var memoryBytes: UInt64?

    /// A use.
    public init(name: String, used: Int?, limit: Int, memoryBytes: UInt64?) {
        self.name = name
        self.used = used
        self.limit = limit
        self.memoryBytes = memoryBytes
    }

    /// Names of the local API (docs/reference/local-api.md).
    private enum CodingKeys: String, CodingKey {
        case name = "name"
        case used = "used"
        case limit = "limit"
        case memoryBytes = "memoryBytes"
    }
}
