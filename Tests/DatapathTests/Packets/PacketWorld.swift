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

    /// Exact addresses; .254 is the node, ::253 the node too, at an address that a policy tells apart, ::252 another node.
    static let exact: [(address: IPAddress, identity: UInt32)] = [
        (ipv4(1), identityA), (ipv6(1), identityA), (ipv4(2), identityB), (ipv6(2), identityB),
        (ipv4(3), identityC), (ipv6(3), identityC), (ipv4(254), host), (ipv6(254), host),
        (ipv6(253), UInt32(NP_IDENTITY_FIRST_HOST)), (ipv6(252), UInt32(NP_IDENTITY_FIRST_NODE)),
    ]

    /// Prefixes by their length in 128 bits.
    static let prefixes: [(address: IPAddress, length: UInt32, identity: UInt32)] = [
        (IPAddress(ipv4: 0xc000_0200), 120, identityDocumentation),
        (IPAddress(high: 0x2001_0db8_0000_0000, low: 0), 32, identityDocumentation),
    ]

    /// What identity the world gives an address, without any trie.
    static func identity(of address: IPAddress) -> UInt32 {
        if let known = exact.first(where: { $0.address == address }) { return known.identity }
        if address.high >> 32 == 0x2001_0db8 { return identityDocumentation }
        if let number = address.ipv4 { return number >> 8 == 0xc0_0002 ? identityDocumentation : worldIPv4 }
        return worldIPv6
    }
}
