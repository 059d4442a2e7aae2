import BPFEmit
import NetTypes

/// The entries of np_addresses and np_prefixes, each sorted. Those of an image are shared with it, so that comparing with an image in
/// which they did not change costs nothing.
struct TablesInForce {
    let addresses: [AddressEntry]
    let prefixes: [PrefixEntry]

    init(_ image: NodeImage) {
        addresses = image.addresses
        prefixes = image.prefixes
    }

    /// What was read from the kernel, or is between two images.
    init(_ addresses: [IPAddress: UInt32], _ prefixes: [IPPrefix: UInt32]) {
        self.addresses = addresses.map { AddressEntry(address: $0.key, identity: $0.value) }
            .sorted { $0.address < $1.address }
        self.prefixes = prefixes.map { PrefixEntry(prefix: $0.key, identity: $0.value) }
            .sorted { $0.prefix < $1.prefix }
    }
}
