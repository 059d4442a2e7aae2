import BPFEmit
import NetTypes

/// Entries of np_addresses with and without the marks of pods of other nodes. An image in which they did not change gets the
/// same storage again, so that comparing costs nothing.
struct ElsewhereMarks {
    private var addresses: [AddressEntry] = []
    private var local: Set<IPAddress> = []
    private var result: [AddressEntry] = []

    /// The entries of an image with the marks.
    mutating func marked(_ image: NodeImage) -> [AddressEntry] {
        let local = Set(image.endpoints.lazy.flatMap(\.addresses))
        if addresses != image.addresses || self.local != local {
            result = image.markingElsewhere(besides: local)
            addresses = image.addresses
            self.local = local
        }
        return result
    }
}

extension NodeDatapath {
    /// The image with the marks of pods of other nodes in its addresses.
    func markingElsewhere(_ image: NodeImage) -> NodeImage {
        var image = image
        image.addresses = elsewhere.marked(image)
        return image
    }
}
