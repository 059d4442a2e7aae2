import NetTypes
import PolicyIR

/// A named port that has a number.
struct NamedNumber: Hashable, Comparable {
    var name: TrafficResolver.PortName
    var number: UInt16

    /// The packets to it.
    var traffic: PolicyBits.ResolvedTraffic { PolicyBits.ResolvedTraffic(name.protocol, PortRange(number)) }

    static func < (left: NamedNumber, right: NamedNumber) -> Bool {
        (left.number, left.name.protocol, left.name.name) < (right.number, right.name.protocol, right.name.name)
    }

    /// The numbers that some of the remotes have one of the names under: sorted, without repetition. Only pods name ports.
    ///
    /// - Complexity: O(remotes and the ports that they name).
    static func all(
        of names: [TrafficResolver.PortName], at remotes: [IdentityIndex.RemoteID], in index: IdentityIndex
    ) -> [NamedNumber] {
        var found: Set<NamedNumber> = []
        // Of more than a few names a pod is asked for all of its own.
        let wanted = names.count > 16 ? Set(names) : []
        for remote in remotes {
            guard let podClass = index.podClass(of: remote) else { continue }
            if !wanted.isEmpty {
                for port in index.namedPorts(ofClass: podClass) {
                    let name = TrafficResolver.PortName(name: port.name, protocol: port.protocol)
                    if wanted.contains(name) { found.insert(NamedNumber(name: name, number: port.number)) }
                }
                continue
            }
            for name in names {
                for port in index.ports(ofClass: podClass, named: name.name, name.protocol) {
                    found.insert(NamedNumber(name: name, number: port))
                }
            }
        }
        return found.sorted()
    }
}
