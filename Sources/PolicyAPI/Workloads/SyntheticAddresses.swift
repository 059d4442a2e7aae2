public import NetTypes

/// Assigns addresses to pods and nodes that have none: manifests usually have pods without `status`, workloads instead of
/// pods, and no nodes.
///
/// Pods get the next free ones of 10.244.0.0/14 and fd00:10:244::/64, the default pod network of many clusters: like a real
/// pod's address they are private, so a rule for "the internet without private networks" does not contain them. Nodes get
/// addresses of 192.168.244.0/22 and fd00:192:168::/64. Equal objects get equal addresses.
public struct SyntheticAddresses: Sendable {
    private var taken: Set<IPAddress>
    private var last: [IPAddress: UInt32] = [:]

    /// Reserves every address of the objects, so that none is assigned twice.
    public init(_ objects: ClusterObjects) {
        taken = Set(
            objects.pods.flatMap(\.addresses) + objects.nodes.flatMap(\.addresses)
                + objects.endpointSlices.flatMap(\.addresses) + objects.names.values.flatMap(\.self))
    }

    /// The first free address of each family for a pod; none when a range is used up.
    public mutating func pod() -> [IPAddress] {
        [
            free(IPAddress(ipv4: 0x0af4_0000), size: 1 << 18),
            free(IPAddress(high: 0xfd00_0010_0244_0000, low: 0), size: .max),
        ]
        .compactMap(\.self)
    }

    /// An address of a family for a node; `nil` when the range is used up.
    public mutating func node(isIPv4: Bool) -> IPAddress? {
        isIPv4
            ? free(IPAddress(ipv4: 0xc0a8_f400), size: 1 << 10)
            : free(IPAddress(high: 0xfd00_0192_0168_0000, low: 0), size: .max)
    }

    /// The first free address after `start`, fewer than `size` away, in amortised constant time.
    private mutating func free(_ start: IPAddress, size: UInt32) -> IPAddress? {
        var number = last[start] ?? 0
        while number < size - 1 {
            number += 1
            let address = IPAddress(high: start.high, low: start.low + UInt64(number))
            guard taken.insert(address).inserted else { continue }
            last[start] = number
            return address
        }
        return nil
    }
}

extension ClusterObjects {
    /// Assigns one address of each family to every running pod without any, in the order of their names. HostNetwork pods
    /// have their node's addresses and get none.
    public mutating func addSyntheticAddresses() {
        let isBare = { (pod: Pod) in pod.addresses.isEmpty && !pod.hostNetwork && !pod.isFinished }
        guard pods.contains(where: isBare) else { return }
        var addresses = SyntheticAddresses(self)
        for index in pods.indices.sorted(by: { pods[$0].qualifiedName < pods[$1].qualifiedName })
        where isBare(pods[index]) {
            pods[index].addresses = addresses.pod()
            pods[index].isSynthetic = true
        }
    }
}
