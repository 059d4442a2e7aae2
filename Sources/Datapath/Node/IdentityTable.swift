import Algorithms
import BPFEmit
import CNetpoldABI
import NetTypes

/// The datapath's two lookups on an image: the exact address, then the longest prefix.
struct IdentityTable {
    /// Sorted.
    private let addresses: [AddressEntry]
    private let prefixes: [IPPrefix: UInt32]
    /// Lengths that occur, longest first, in the mapped space.
    private let lengths: [Int]

    init(_ image: NodeImage) {
        addresses = image.addresses
        prefixes = Dictionary(image.prefixes.map { ($0.prefix, $0.identity) }) { first, _ in first }
        lengths = Set(image.prefixes.map(\.prefix.mappedLength)).sorted(by: >)
    }

    /// The second lookup alone.
    init(_ prefixes: [PrefixEntry]) {
        addresses = []
        self.prefixes = Dictionary(prefixes.map { ($0.prefix, $0.identity) }) { first, _ in first }
        lengths = Set(prefixes.map(\.prefix.mappedLength)).sorted(by: >)
    }

    /// What packets of an address get.
    func identity(of address: IPAddress) -> UInt32 {
        let place = addresses.partitioningIndex { $0.address >= address }
        if place < addresses.count, addresses[place].address == address { return addresses[place].identity }
        return longestPrefix(of: address, upTo: 128)
    }

    /// What those addresses of a prefix get that have no entry inside it.
    func identity(of prefix: IPPrefix) -> UInt32 { longestPrefix(of: prefix.address, upTo: prefix.mappedLength) }

    private func longestPrefix(of address: IPAddress, upTo length: Int) -> UInt32 {
        for candidate in lengths where candidate <= length {
            let written = address.isIPv4 ? candidate - 96 : candidate
            // A trie knows no families: short prefixes of IPv6 cover the mapped range as well.
            let prefix = IPPrefix(address, length: written) ?? IPPrefix(mapped: address, length: candidate)
            if let identity = prefixes[prefix] { return identity }
        }
        return UInt32(NP_IDENTITY_UNKNOWN)
    }
}

extension IPPrefix {
    /// The IPv6 prefix of fewer than 96 bits around an address, a mapped one included.
    fileprivate init(mapped address: IPAddress, length: Int) {
        // Without its last bits a mapped address is an IPv6 one.
        let mask: UInt64 = length <= 64 ? 0 : .max << UInt64(128 - length)
        let cleared = IPAddress(high: address.high, low: address.low & mask)
        self = IPPrefix(cleared, length: length) ?? IPPrefix(host: cleared)
    }

    /// The last address of the prefix.
    var lastAddress: IPAddress {
        let highMask: UInt64 = mappedLength >= 64 ? 0 : .max >> UInt64(mappedLength)
        let lowMask: UInt64 = mappedLength <= 64 ? .max : mappedLength == 128 ? 0 : .max >> UInt64(mappedLength - 64)
        return IPAddress(high: address.high | highMask, low: address.low | lowMask)
    }
}
