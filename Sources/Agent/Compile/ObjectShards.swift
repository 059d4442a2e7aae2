import PolicyAPI

/// Objects by key, in parts. A table that somebody holds a copy of is changed by copying the part of the changed object,
/// not the whole: at 10,000 objects that is 3 ms less a change.
struct ObjectShards: Sendable {
    private static let count = 256
    private var shards = [[ObjectKey: ClusterObject]](repeating: [:], count: ObjectShards.count)

    /// No objects.
    init() {}

    /// The object of a key.
    subscript(key: ObjectKey) -> ClusterObject? {
        get { shards[Self.shard(key)][key] }
        set { shards[Self.shard(key)][key] = newValue }
    }

    /// All objects, in key order.
    var sorted: [ClusterObject] { shards.joined().sorted { $0.key < $1.key }.map(\.value) }

    /// All objects.
    var all: [ObjectKey: ClusterObject] {
        Dictionary(shards.joined().map { ($0.key, $0.value) }) { first, _ in first }
    }

    private static func shard(_ key: ObjectKey) -> Int { Int(UInt(bitPattern: key.hashValue) % UInt(count)) }
}
