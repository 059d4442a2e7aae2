import CNetpoldABI
import NetTypes

/// A flow as the first version of this program remembered it, in its map np_flows: one entry for both pods at its ends, whose
/// ends are sorted. The layouts here are what such entries are read into; no program of this version has them.
struct SharedFlow: BitwiseCopyable {
    /// The map.
    static let map = "np_flows"

    /// What it is found by. Addresses and ports in network order.
    struct Key: BitwiseCopyable {
        var low = np_address()
        var high = np_address()
        var lowPort: UInt16 = 0
        var highPort: UInt16 = 0
        var `protocol`: UInt32 = 0
    }

    /// What the pod at an end knows: the revision that it admitted the flow under, and `enum np_role`.
    var low: (revision: UInt32, role: UInt32) = (0, 0)
    var high: (revision: UInt32, role: UInt32) = (0, 0)
    /// Jiffies.
    var lastSeen: UInt64 = 0
    /// `closing...` and `reset`.
    var flags: UInt32 = 0
    var padding: UInt32 = 0

    /// A FIN or RST was seen from the low end.
    static let closingLow: UInt32 = 1
    static let closingHigh: UInt32 = 2
    static let reset: UInt32 = 4

    /// Where the fields are, by the names that they had.
    static let layout = MapLayout(
        key: RecordLayout(
            size: MemoryLayout<Key>.size,
            fields: ["low", "high"].enumerated().flatMap { end, name in
                (0..<4).map {
                    .init(name: "\(name).word[\($0)]", offset: 16 * end + 4 * $0, size: 4, isNetworkOrder: true)
                }
            } + [
                .init(name: "low_port", offset: 32, size: 2, isNetworkOrder: true),
                .init(name: "high_port", offset: 34, size: 2, isNetworkOrder: true),
                .init(name: "protocol", offset: 36, size: 4, isNetworkOrder: false),
            ]),
        value: RecordLayout(
            size: MemoryLayout<SharedFlow>.size,
            fields: [
                .init(name: "side[0].revision", offset: 0, size: 4, isNetworkOrder: false),
                .init(name: "side[0].role", offset: 4, size: 4, isNetworkOrder: false),
                .init(name: "side[1].revision", offset: 8, size: 4, isNetworkOrder: false),
                .init(name: "side[1].role", offset: 12, size: 4, isNetworkOrder: false),
                .init(name: "last_seen", offset: 16, size: 8, isNetworkOrder: false),
                .init(name: "flags", offset: 24, size: 4, isNetworkOrder: false),
            ]))
}
