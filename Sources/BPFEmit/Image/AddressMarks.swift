import CNetpoldABI
public import NetTypes
import PolicyIR

extension AddressEntry {
    /// The identity without `NP_IDENTITY_WORLD_TOO` and the other marks.
    public var unmarkedIdentity: UInt32 { identity & ~UInt32(NP_IDENTITY_FLAGS) }

    /// Whether np_services has ports of the address.
    public var isFrontend: Bool { identity & UInt32(NP_IDENTITY_FRONTEND) != 0 }
    /// Whether np_backend_ends has ports of the address.
    public var isBackend: Bool { identity & UInt32(NP_IDENTITY_BACKEND) != 0 }
}

extension NodeImage {
    /// The entries of np_addresses with the mark of pods that are on other nodes: of the addresses of pods beside the local ones.
    public func markingElsewhere(besides local: Set<IPAddress>) -> [AddressEntry] {
        let pods = UInt32(NP_IDENTITY_FIRST_POD)..<UInt32(NP_IDENTITY_FIRST_LOCAL)
        var own = local.sorted()[...]
        return addresses.map { entry in
            while let first = own.first, first < entry.address { own.removeFirst() }
            guard pods.contains(entry.identity), own.first != entry.address else { return entry }
            return AddressEntry(address: entry.address, identity: entry.identity | UInt32(NP_IDENTITY_ELSEWHERE))
        }
    }

    /// The entries of np_addresses with the marks of Services: addresses that nobody of the cluster has get an entry with the
    /// identity that np_prefixes gives them.
    ///
    /// An address that several claim stays as it is: with a mark it would count as outside, and rules for the outside would allow it.
    ///
    /// - Parameters:
    ///   - frontends: the addresses of np_services.
    ///   - backends: the addresses of np_backend_ends.
    /// - Returns: the entries, sorted.
    public func marking(frontends: Set<IPAddress>, backends: Set<IPAddress>) -> [AddressEntry] {
        if frontends.isEmpty, backends.isEmpty { return addresses }
        func marks(_ address: IPAddress) -> UInt32 {
            (frontends.contains(address) ? UInt32(NP_IDENTITY_FRONTEND) : 0)
                | (backends.contains(address) ? UInt32(NP_IDENTITY_BACKEND) : 0)
        }
        // Both are sorted: addresses without marks, nearly all, cost a comparison.
        var marked = frontends.union(backends).sorted()[...]
        var outside: PrefixLookup?
        var result: [AddressEntry] = []
        result.reserveCapacity(addresses.count + marked.count)
        func add(_ address: IPAddress) {
            let lookup = outside ?? PrefixLookup(prefixes)
            outside = lookup
            result.append(AddressEntry(address: address, identity: lookup.identity(of: address) | marks(address)))
        }
        for entry in addresses {
            while let next = marked.first, next < entry.address {
                add(next)
                marked.removeFirst()
            }
            guard marked.first == entry.address else {
                result.append(entry)
                continue
            }
            marked.removeFirst()
            var entry = entry
            if entry.unmarkedIdentity != ReservedIdentity.unknown.rawValue { entry.identity |= marks(entry.address) }
            result.append(entry)
        }
        for address in marked { add(address) }
        return result
    }
}

/// The longest of an image's prefixes around an address.
struct PrefixLookup {
    private let identities: [IPPrefix: UInt32]
    /// Lengths that occur, longest first, of each family.
    private let lengths: [Bool: [Int]]

    init(_ prefixes: [PrefixEntry]) {
        identities = Dictionary(prefixes.map { ($0.prefix, $0.identity) }) { first, _ in first }
        lengths = Dictionary(grouping: prefixes, by: \.prefix.isIPv4).mapValues { entries in
            Set(entries.map(\.prefix.length)).sorted(by: >)
        }
    }

    /// What np_prefixes answers for an address. A trie knows no families: short IPv6 prefixes cover IPv4 as well, but an
    /// image always holds 0.0.0.0/0.
    func identity(of address: IPAddress) -> UInt32 {
        for length in lengths[address.isIPv4] ?? [] {
            if let prefix = IPPrefix(address, length: length), let identity = identities[prefix] { return identity }
        }
        return (address.isIPv4 ? ReservedIdentity.worldIPv4 : .worldIPv6).rawValue
    }
}
