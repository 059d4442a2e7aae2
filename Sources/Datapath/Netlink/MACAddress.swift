/// An Ethernet address, as the lab gives its veths.
public struct MACAddress: Hashable, Sendable {
    /// The six bytes in wire order.
    public let bytes: [UInt8]

    /// A locally administered unicast address that holds a number: the same number gives the same address.
    public init(local number: UInt32, side: UInt8) {
        bytes = [
            0x02, side, UInt8(truncatingIfNeeded: number >> 24), UInt8(truncatingIfNeeded: number >> 16),
            UInt8(truncatingIfNeeded: number >> 8), UInt8(truncatingIfNeeded: number),
        ]
    }
}
