import CNetpoldABI
import NetTypes
import PolicyAPI

/// The little cluster that packet tests happen in.
enum PacketWorld {
    /// The two pods of this node, by slot.
    enum Pod: UInt32, CaseIterable {
        case a = 1
        case b = 2
    }

    static func ipv4(_ last: UInt32) -> IPAddress { IPAddress(ipv4: 0x0a00_0000 | last) }
    static func ipv6(_ last: UInt64) -> IPAddress { IPAddress(high: 0xfd00_0000_0000_0000, low: last) }
    static func address(_ last: UInt32, ipv6 isIPv6: Bool) -> IPAddress { isIPv6 ? ipv6(UInt64(last)) : ipv4(last) }

    static let linkLocal = IPAddress(high: 0xfe80_0000_0000_0000, low: 1)
    /// That of the Ethernet address that frames have (`Frame.sender`).
    static let linkOfSender = IPAddress(high: 0xfe80_0000_0000_0000, low: 0x0000_00ff_fe00_0002)
    static let allNodes = IPAddress(high: 0xff02_0000_0000_0000, low: 1)
    static let unspecified = IPAddress(high: 0, low: 0)

    static func addresses(of pod: Pod) -> [IPAddress] { [ipv4(pod.rawValue), ipv6(UInt64(pod.rawValue))] }

    static let identityA: UInt32 = 256
    static let identityB: UInt32 = 257
    /// A pod of another node, at .3
    static let identityC: UInt32 = 258
    static let host = UInt32(NP_IDENTITY_HOST)
    static let worldIPv4 = UInt32(NP_IDENTITY_WORLD_IPV4)
    static let worldIPv6 = UInt32(NP_IDENTITY_WORLD_IPV6)
    /// 192.0.2.0/24 and 2001:db8::/32
    static let identityDocumentation = UInt32(NP_IDENTITY_FIRST_LOCAL)

    /// The node's networks are 10.0.0.0/8 and fd00::/64: at these two addresses it answers beside others.
    static let shared: [IPAddress] = [ipv4(0x00ff_ffff), ipv6(0)]

    /// The interfaces by which packets of each pod come in: its own, and the bridge that both are at.
    static func links(of pod: Pod) -> [UInt32] { [10 + pod.rawValue, bridge] }
    static let bridge: UInt32 = 20
    /// The way to everybody else.
    static let uplink: UInt32 = 99
    /// The interface that test runs happen at: a packet that came in by it comes back to its sender.
    static let own: UInt32 = 1

    /// By which interface packets of a sender come in when nobody cheats; 0: they are generated here.
    static func arrival(of source: IPAddress) -> UInt32 {
        if let pod = Pod.allCases.first(where: { addresses(of: $0).contains(source) }) { return links(of: pod)[0] }
        return isNode(source) ? 0 : uplink
    }

    /// As `arrival(of:)`, for a frame.
    static func arrival(of frame: [UInt8]) -> UInt32 {
        func address(_ range: Range<Int>) -> IPAddress? {
            guard frame.count >= range.upperBound else { return nil }
            let number = frame[range].reduce((UInt64(0), UInt64(0))) {
                ($0.0 << 8 | $0.1 >> 56, $0.1 << 8 | UInt64($1))
            }
            return range.count == 4
                ? IPAddress(ipv4: UInt32(truncatingIfNeeded: number.1)) : IPAddress(high: number.0, low: number.1)
        }
        let source: IPAddress? =
            switch frame.dropFirst(12).prefix(2) {
            case [0x08, 0x00]: address(26..<30)
            case [0x86, 0xdd]: address(22..<38)
            case [0x08, 0x06]: address(28..<32)
            default: nil
            }
        return source.map { arrival(of: $0) } ?? uplink
    }

    /// Whether an address is the node's alone.
    static func isNode(_ address: IPAddress) -> Bool {
        exact.contains {
            $0.address == address && ($0.identity == host || $0.identity == UInt32(NP_IDENTITY_FIRST_HOST))
        }
    }

    /// Whether the node answers at an address beside others.
    static func isShared(_ address: IPAddress) -> Bool {
        if shared.contains(address) { return true }
        if let number = address.ipv4 {
            return number == .max || number >> 28 == 0xe || number >> 24 == 127
        }
        return address.high >> 56 == 0xff || loopback.contains(address)
    }

    /// Addresses of every host's own.
    static let loopback = [IPAddress(ipv4: 0x7f00_0001), IPAddress(ipv4: 0x7f01_0203), IPAddress(high: 0, low: 1)]

    /// Whether a packet of a pod to an address may get to a node that has a tunnel.
    static func mayUnpack(_ address: IPAddress) -> Bool {
        if let number = address.ipv4, number >> 28 == 0xe || number == .max || number >> 24 == 127 { return true }
        if !address.isIPv4, address.high >> 56 == 0xff || loopback.contains(address) { return true }
        let node = [host, UInt32(NP_IDENTITY_REMOTE_NODE), UInt32(NP_IDENTITY_KUBE_APISERVER)]
        return exact.contains { entry in
            let identity = entry.identity & ~UInt32(NP_IDENTITY_FLAGS)
            return entry.address == address && (node.contains(identity) || identity >= UInt32(NP_IDENTITY_FIRST_NODE))
        }
    }

    /// Exact addresses; .254 is the node, ::253 the node too, at an address that a policy tells apart, ::252 another node.
    static let exact: [(address: IPAddress, identity: UInt32)] = [
        (ipv4(1), identityA), (ipv6(1), identityA), (ipv4(2), identityB), (ipv6(2), identityB),
        (ipv4(3), identityC), (ipv6(3), identityC), (ipv4(254), host), (ipv6(254), host),
        (ipv6(253), UInt32(NP_IDENTITY_FIRST_HOST)), (ipv6(252), UInt32(NP_IDENTITY_FIRST_NODE)),
        (shared[0], host | UInt32(NP_IDENTITY_WORLD_TOO)), (shared[1], host | UInt32(NP_IDENTITY_WORLD_TOO)),
    ]

    /// Prefixes by their length in 128 bits.
    static let prefixes: [(address: IPAddress, length: UInt32, identity: UInt32)] = [
        (IPAddress(ipv4: 0xc000_0200), 120, identityDocumentation),
        (IPAddress(high: 0x2001_0db8_0000_0000, low: 0), 32, identityDocumentation),
    ]

    /// What identity the world gives an address, without any trie.
    static func identity(of address: IPAddress) -> UInt32 {
        if let known = exact.first(where: { $0.address == address }), !isShared(address) { return known.identity }
        return outsideIdentity(of: address)
    }

    /// The same as if nobody in the cluster had the address.
    static func outsideIdentity(of address: IPAddress) -> UInt32 {
        if address.high >> 32 == 0x2001_0db8 { return identityDocumentation }
        if let number = address.ipv4 { return number >> 8 == 0xc0_0002 ? identityDocumentation : worldIPv4 }
        return worldIPv6
    }
}
