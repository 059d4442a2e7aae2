import BPFEmit
import NetTypes

/// The entries of np_addresses and np_prefixes as an image has them: an image in which they did not change shares their
/// storage, so comparing costs nothing then.
struct TablesInForce {
    let addresses: [AddressEntry]
    let prefixes: [PrefixEntry]

    init(_ image: NodeImage) {
        addresses = image.addresses
        prefixes = image.prefixes
    }

    /// Whether the image has the same entries.
    func has(_ image: NodeImage) -> Bool {
        addresses == image.addresses && prefixes == image.prefixes
    }
}
