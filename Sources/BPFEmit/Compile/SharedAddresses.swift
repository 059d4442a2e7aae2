import CNetpoldABI
import NetTypes

/// Addresses at which the local node answers and others may too: to a pod's policy they are the node and the outside, and both
/// must be allowed. In np_addresses they have the node's identity with `NP_IDENTITY_WORLD_TOO`. Groups are
/// known to the program; for them np_addresses says who the node is at no address in particular.
enum SharedAddresses {
    /// The mark beside the identity.
    static let mark = UInt32(NP_IDENTITY_WORLD_TOO)
    /// The node at no address in particular.
    static let unspecified = IPAddress(high: 0, low: 0)

    /// Those of networks that the node's interfaces are in, and the unspecified one.
    static func all(of networks: [IPPrefix]) -> Set<IPAddress> { Set([unspecified] + networks.compactMap(shared)) }

    /// The broadcast address of an IPv4 network (RFC 919; not of /31 and /32, RFC 3021), the subnet-router anycast address of an
    /// IPv6 network (RFC 4291 2.6.1; not of /127 and /128, RFC 6164).
    private static func shared(_ network: IPPrefix) -> IPAddress? {
        guard network.mappedLength <= 126 else { return nil }
        guard network.isIPv4 else { return network.address }
        return IPAddress(
            high: network.address.high, low: network.address.low | (.max >> UInt64(network.mappedLength - 64)))
    }
}

extension AddressEntry {
    /// Whether others than the identity may answer there too.
    public var isShared: Bool { identity & SharedAddresses.mark != 0 }
}
