import BPFEmit
import NetTypes

/// What turns the entries of np_addresses and np_prefixes into those of an image, in an order in which every address
/// goes from its old identity to its new one in one step, without a third in between.
struct TableChange {
    /// 1. Exact addresses added or changed: from here on no prefix matters to them.
    let addressUpserts: [AddressEntry]
    /// 2. Prefixes added or changed, longest first: none shows through before the one inside it is there.
    let prefixUpserts: [PrefixEntry]
    /// 3. Prefixes removed, shortest first: what a longer one leaves falls to a prefix of the image.
    let prefixRemovals: [IPPrefix]
    /// 4. Exact addresses removed: they fall to a prefix of the image.
    let addressRemovals: [IPAddress]
    /// Whether anybody's identity is another one after it: marks of Services alone change no verdict.
    let changesVerdicts: Bool
    /// Whether an address or prefix that is known has another identity after it, or a prefix none: then flows with its ends may be
    /// revoked. An address that comes or goes has no flows that anybody would miss.
    let mayRevoke: Bool

    /// Nothing to do.
    static let none = TableChange(addressUpserts: [], prefixUpserts: [], prefixRemovals: [], addressRemovals: [])

    private init(
        addressUpserts: [AddressEntry], prefixUpserts: [PrefixEntry], prefixRemovals: [IPPrefix],
        addressRemovals: [IPAddress]
    ) {
        changesVerdicts = false
        mayRevoke = false
        self.addressUpserts = addressUpserts
        self.prefixUpserts = prefixUpserts
        self.prefixRemovals = prefixRemovals
        self.addressRemovals = addressRemovals
    }

    init(
        from addresses: [IPAddress: UInt32], _ prefixes: [IPPrefix: UInt32], to image: NodeImage
    ) {
        let wantedAddresses = Set(image.addresses.map(\.address))
        let wantedPrefixes = Set(image.prefixes.map(\.prefix))
        addressUpserts = image.addresses.filter { addresses[$0.address] != $0.identity }
        prefixUpserts =
            image.prefixes.filter { prefixes[$0.prefix] != $0.identity }
            .sorted { ($1.prefix.mappedLength, $0.prefix) < ($0.prefix.mappedLength, $1.prefix) }
        prefixRemovals =
            prefixes.keys.filter { !wantedPrefixes.contains($0) }
            .sorted { ($0.mappedLength, $0) < ($1.mappedLength, $1) }
        let removals = addresses.keys.filter { !wantedAddresses.contains($0) }.sorted()
        addressRemovals = removals
        let isAnother = { (entry: AddressEntry) in
            guard let known = addresses[entry.address] else { return false }
            let old = AddressEntry(address: entry.address, identity: known)
            return old.unmarkedIdentity != entry.unmarkedIdentity || old.isShared != entry.isShared
        }
        mayRevoke =
            !prefixRemovals.isEmpty || prefixUpserts.contains { prefixes[$0.prefix] != nil }
            || addressUpserts.contains(where: isAnother)
        guard prefixUpserts.isEmpty, prefixRemovals.isEmpty else {
            changesVerdicts = true
            return
        }
        // What has an entry for its mark alone has the identity that it would have without.
        let before = addressUpserts.compactMap { entry in
            addresses[entry.address].map { AddressEntry(address: entry.address, identity: $0) }
        }
        let isSame = zip(before, addressUpserts).allSatisfy { old, new in
            old.unmarkedIdentity == new.unmarkedIdentity && old.isShared == new.isShared
        }
        if before.count == addressUpserts.count, isSame, removals.isEmpty {
            changesVerdicts = false
            return
        }
        let outside = IdentityTable(prefixes)
        let hasIdentityOfOutside = { (entry: AddressEntry) in
            (entry.isFrontend || entry.isBackend) && !entry.isShared
                && entry.unmarkedIdentity == outside.identity(of: entry.address)
        }
        changesVerdicts =
            addressUpserts.contains { entry in
                guard let known = addresses[entry.address] else { return !hasIdentityOfOutside(entry) }
                let old = AddressEntry(address: entry.address, identity: known)
                return old.unmarkedIdentity != entry.unmarkedIdentity || old.isShared != entry.isShared
            }
            || removals.contains { address in
                !hasIdentityOfOutside(AddressEntry(address: address, identity: addresses[address] ?? 0))
            }
    }

    /// Whether the kernel has these entries already.
    var isEmpty: Bool { count == 0 }

    /// Entries written or removed.
    var count: Int {
        addressUpserts.count + prefixUpserts.count + prefixRemovals.count + addressRemovals.count
    }
}
