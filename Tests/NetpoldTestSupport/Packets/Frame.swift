/// Ethernet frames as bytes.
public enum Frame {
    /// Ethertypes.
    public enum EtherType {
        /// IPv4
        public static let ipv4: UInt16 = 0x0800
        /// ARP
        public static let arp: UInt16 = 0x0806
        /// IPv6
        public static let ipv6: UInt16 = 0x86dd
        /// An IEEE 802.1Q tag
        public static let vlan: UInt16 = 0x8100
        /// An IEEE 802.1ad tag
        public static let serviceVLAN: UInt16 = 0x88a8
    }

    /// Bytes of an Ethernet header: what stands before the IP header.
    public static let headerBytes = 14

    /// The shortest frame with the ethertype of this one that the kernel lets a test run send: a whole IP header.
    public static func shortest(ofType frame: [UInt8]) -> Int {
        switch frame.dropFirst(12).prefix(2) {
        case [0x08, 0x00]: headerBytes + 20
        case [0x86, 0xdd]: headerBytes + 40
        default: headerBytes
        }
    }

    /// The Ethernet address that frames come from.
    public static let sender: [UInt8] = [2, 0, 0, 0, 0, 2]

    /// A frame between two fixed addresses.
    public static func ethernet(_ type: UInt16, _ payload: [UInt8]) -> [UInt8] {
        [2, 0, 0, 0, 0, 1] + sender + type.bigEndianBytes + payload
    }
}
