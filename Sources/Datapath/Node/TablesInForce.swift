import BPFEmit
import NetTypes

/// The entries of np_addresses and np_prefixes as an image has them: an image in which they did not change shares their
/// storage, so comparing costs nothing then.
struct TablesInForce {
    let addresses: [AddressEntry]
    let prefixes: [PrefixEntry]
    let local: Set<IPAddress>

    init(_ image: NodeImage) {
        local = image.localAddresses
        addresses = image.addresses
        prefixes = image.prefixes
    }

    /// Whether the image has the same entries.
    func has(_ image: NodeImage) -> Bool {
        addresses == image.addresses && prefixes == image.prefixes && local == image.localAddresses
    }
}
