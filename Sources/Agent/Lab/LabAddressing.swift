import PolicyIR

/// Gives addresses to what has none in the manifests: people write pods without `status`, and nodes not at all.
struct LabAddressing {
    private var taken: Set<IPAddress>

    /// Knows every address that the objects name.
    init(_ objects: ClusterObjects) {
        taken = Set(
            objects.pods.flatMap(\.addresses) + objects.nodes.flatMap(\.addresses)
                + objects.endpointSlices.flatMap(\.addresses) + objects.names.values.flatMap(\.self))
    }

    /// The first free address of each family: 10.244.x.y and fd00:10:244::x:y.
    mutating func pod() -> [IPAddress] {
        [
            free { IPAddress(ipv4: 0x0af4_0000 + $0) },
            free { IPAddress(high: 0xfd00_0010_0244_0000, low: UInt64($0)) },
        ]
    }

    /// An address of a family for the node: 192.168.244.x or fd00:192:168::x.
    mutating func node(isIPv4: Bool) -> IPAddress {
        free { isIPv4 ? IPAddress(ipv4: 0xc0a8_f400 + $0) : IPAddress(high: 0xfd00_0192_0168_0000, low: UInt64($0)) }
    }

    private mutating func free(_ make: (UInt32) -> IPAddress) -> IPAddress {
        var number: UInt32 = 1
        while !taken.insert(make(number)).inserted { number += 1 }
        return make(number)
    }
}
