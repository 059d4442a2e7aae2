import BPFEmit
import CNetpoldABI
import NetTypes

/// What turns the entries of np_sources into those of an image: by which interfaces packets of local pods come in.
struct SourceChange {
    /// Added or changed.
    let upserts: [(address: IPAddress, links: [UInt32])]
    /// Addresses that no local pod has any more.
    let removals: [IPAddress]

    /// - Parameters:
    ///   - sources: the entries now.
    ///   - image: its endpoints have the addresses.
    ///   - links: the interfaces of each endpoint. One without any is believed from nowhere.
    ///   - masters: of an interface, those that it is enslaved to, one after the other.
    init(
        from sources: [IPAddress: [UInt32]], to image: NodeImage, links: [EndpointKey: [UInt32]],
        masters: [UInt32: [UInt32]]
    ) {
        var wanted: [IPAddress: [UInt32]] = [:]
        for endpoint in image.endpoints {
            let own = (links[endpoint.key] ?? []).filter { $0 != 0 }
            for address in endpoint.addresses {
                // The own ones first: if one must be left out, a master.
                wanted[address, default: []] += own
            }
        }
        for (address, own) in wanted {
            var all: [UInt32] = []
            for link in own + own.flatMap({ masters[$0] ?? [] }) where !all.contains(link) { all.append(link) }
            wanted[address] = Array(all.prefix(Int(NP_SOURCE_LINKS)))
        }
        upserts = wanted.filter { sources[$0.key] != $0.value }.sorted { $0.key < $1.key }
            .map { (address: $0.key, links: $0.value) }
        removals = sources.keys.filter { wanted[$0] == nil }.sorted()
    }

    /// Whether the kernel has these entries already.
    var isEmpty: Bool { upserts.isEmpty && removals.isEmpty }
}
