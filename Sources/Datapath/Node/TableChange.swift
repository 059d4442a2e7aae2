import BPFEmit
import NetTypes

/// What turns the entries of np_addresses and np_prefixes into those of an image, in an order in which every address
/// goes from its old identity to its new one in one step, without a third in between.
struct TableChange {
    /// 1. Exact addresses added or changed: from here on no prefix matters to them.
    let addressUpserts: [AddressEntry]
    /// What values of np_addresses say beside the identity, by address; the others say nothing.
    let traits: [IPAddress: UInt32]
    /// 2. Prefixes added or changed, longest first: none shows through before the one inside it is there.
    let prefixUpserts: [PrefixEntry]
    /// 3. Prefixes removed, shortest first: what a longer one leaves falls to a prefix of the image.
    let prefixRemovals: [IPPrefix]
    /// 4. Exact addresses removed: they fall to a prefix of the image.
    let addressRemovals: [IPAddress]

    /// Nothing to do.
    static let none = TableChange(
        addressUpserts: [], prefixUpserts: [], prefixRemovals: [], addressRemovals: [], traits: [:])

    private init(
        addressUpserts: [AddressEntry], prefixUpserts: [PrefixEntry], prefixRemovals: [IPPrefix],
        addressRemovals: [IPAddress], traits: [IPAddress: UInt32]
    ) {
        self.traits = traits
        self.addressUpserts = addressUpserts
        self.prefixUpserts = prefixUpserts
        self.prefixRemovals = prefixRemovals
        self.addressRemovals = addressRemovals
    }

    init(
        from addresses: [IPAddress: UInt32], _ prefixes: [IPPrefix: UInt32], to image: NodeImage,
        traits before: [IPAddress: UInt32] = [:], _ traits: [IPAddress: UInt32] = [:]
    ) {
        self.traits = traits
        let wantedAddresses = Set(image.addresses.map(\.address))
        let wantedPrefixes = Set(image.prefixes.map(\.prefix))
        addressUpserts = image.addresses.filter {
            addresses[$0.address] != $0.identity || before[$0.address] != traits[$0.address]
        }
        prefixUpserts =
            image.prefixes.filter { prefixes[$0.prefix] != $0.identity }
            .sorted { ($1.prefix.mappedLength, $0.prefix) < ($0.prefix.mappedLength, $1.prefix) }
        prefixRemovals =
            prefixes.keys.filter { !wantedPrefixes.contains($0) }
            .sorted { ($0.mappedLength, $0) < ($1.mappedLength, $1) }
        addressRemovals = addresses.keys.filter { !wantedAddresses.contains($0) }.sorted()
    }

    /// Whether the kernel has these entries already.
    var isEmpty: Bool { count == 0 }

    /// Entries written or removed.
    var count: Int {
        addressUpserts.count + prefixUpserts.count + prefixRemovals.count + addressRemovals.count
    }
}
