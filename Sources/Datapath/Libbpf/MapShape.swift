import CLibBPF

/// The properties of a map that its users rely on.
public struct MapShape: Hashable, Sendable {
    /// `BPF_MAP_TYPE_*`.
    public var type: UInt32
    /// Bytes of a key.
    public var keySize: Int
    /// Bytes of a value (of one CPU's value, in a per-CPU map).
    public var valueSize: Int
    /// Most entries.
    public var capacity: Int
    /// `BPF_F_*`.
    public var flags: UInt32

    /// What differs from another shape, in words; empty when a program made for one can use the other.
    /// The capacity is not compared: a map may have been resized.
    func differences(from other: MapShape) -> [String] {
        [
            ("type", Int(type), Int(other.type)), ("key size", keySize, other.keySize),
            ("value size", valueSize, other.valueSize), ("flags", Int(flags), Int(other.flags)),
        ].filter { $0.1 != $0.2 }.map { "\($0.0): \($0.2) changed to \($0.1)" }
    }
}
