import NetTypes
import PolicyIR

/// Traffic as port numbers, and names that are still to be looked up.
enum TrafficResolver {
    /// A rule's traffic with its named ports set aside.
    struct Split: Equatable {
        /// What needs no name, sorted and joined: `nil` for every protocol and port.
        var plain: [PolicyBits.ResolvedTraffic]?
        /// Names with their protocols, without repetition, in order of appearance.
        var names: [PortName]

        /// Everything as numbers, sorted and joined; `nil` for every protocol and port. `ports` gives the
        /// numbers of a name; none if the end does not have it.
        func resolved(_ ports: (PortName) -> [UInt16]) -> [PolicyBits.ResolvedTraffic]? {
            guard let plain, !names.isEmpty else { return plain }
            return TrafficResolver.merged(
                plain
                    + names.flatMap { name in
                        ports(name).map { PolicyBits.ResolvedTraffic(name.protocol, PortRange($0)) }
                    })
        }
    }

    /// A container port's name with its protocol.
    struct PortName: Hashable {
        var name: String
        var `protocol`: L4Protocol
    }

    /// Separates numbers from names.
    static func split(_ traffic: TrafficMatch) -> Split {
        switch traffic {
        case .everything:
            return Split(plain: nil, names: [])
        case .anyOf(let clauses):
            var plain: [PolicyBits.ResolvedTraffic] = []
            var names: [PortName] = []
            // Filled when there are more than a few.
            var seen: Set<PortName> = []
            for clause in clauses {
                switch clause {
                case .ports(let proto, let range):
                    plain.append(PolicyBits.ResolvedTraffic(proto, range))
                case .named(let proto, let name):
                    let portName = PortName(name: name, protocol: proto)
                    if names.count > 16 {
                        if seen.isEmpty { seen = Set(names) }
                        if seen.insert(portName).inserted { names.append(portName) }
                    } else if !names.contains(portName) {
                        names.append(portName)
                    }
                }
            }
            return Split(plain: merged(plain), names: names)
        }
    }

    /// Sorted, overlaps and neighbours of one protocol joined.
    ///
    /// - Complexity: O(n log n).
    static func merged(_ traffic: [PolicyBits.ResolvedTraffic]) -> [PolicyBits.ResolvedTraffic] {
        if traffic.count < 2 { return traffic }
        var result: [PolicyBits.ResolvedTraffic] = []
        for next in traffic.sorted() {
            guard let last = result.last, last.protocol == next.protocol,
                UInt32(next.ports.first) <= UInt32(last.ports.last) + 1
            else {
                result.append(next)
                continue
            }
            result[result.count - 1] = PolicyBits.ResolvedTraffic(
                last.protocol, PortRange(last.ports.first, max(last.ports.last, next.ports.last)))
        }
        return result
    }
}
