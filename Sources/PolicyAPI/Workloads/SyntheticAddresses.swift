public import NetTypes

/// Gives addresses to what has none in the manifests: people write pods without `status`, workloads instead of pods, and
/// nodes not at all.
///
/// Pods get the next free ones of 10.244.0.0/14 and fd00:10:244::/64, the default pod network of many clusters: as a real
/// pod's, such an address is private, so a rule for "the internet without private networks" does not hold it. Nodes get
/// 192.168.244.0/22 and fd00:192:168::/64. Equal objects get equal addresses.
public struct SyntheticAddresses: Sendable {
    private var taken: Set<IPAddress>
    private var last: [IPAddress: UInt32] = [:]

    /// Knows every address that the objects name, so that none is given twice.
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

    /// The first address after `start` that nobody has, fewer than `size` away, in time that does not grow with their number.
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
    /// Gives every running pod that has no address one of each family, in the order of their names. HostNetwork pods are
    /// their nodes and get none.
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
