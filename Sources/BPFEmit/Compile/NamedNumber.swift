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
    /// - Complexity: O(remotes * names).
    static func all(
        of names: [TrafficResolver.PortName], at remotes: [IdentityIndex.RemoteID], in index: IdentityIndex
    ) -> [NamedNumber] {
        var found: Set<NamedNumber> = []
        for remote in remotes {
            guard let podClass = index.podClass(of: remote) else { continue }
            for name in names {
                for port in index.ports(ofClass: podClass, named: name.name, name.protocol) {
                    found.insert(NamedNumber(name: name, number: port))
                }
            }
        }
        return found.sorted()
    }
}
