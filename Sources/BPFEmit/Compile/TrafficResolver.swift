import NetTypes
import PolicyIR

/// Traffic with named ports replaced by numbers.
enum TrafficResolver {
    /// A rule's traffic of which named ports are still to be looked up on each remote end.
    struct Split {
        /// What needs no name: `nil` for every protocol and port.
        var plain: [PolicyBits.ResolvedTraffic]?
        /// Names with their protocols, without repetition.
        var names: [PortName]
    }

    /// A container port's name with its protocol.
    struct PortName: Hashable {
        var name: String
        var `protocol`: L4Protocol
    }

    /// Separates numbers from names.
    static func split(_ traffic: TrafficMatch) -> Split {
        guard case .anyOf(let clauses) = traffic else { return Split(plain: nil, names: []) }
        var plain: [PolicyBits.ResolvedTraffic] = []
        var names: [PortName] = []
        for clause in clauses {
            switch clause {
            case .ports(let proto, let range):
                plain.append(PolicyBits.ResolvedTraffic(proto, range))
            case .named(let proto, let name):
                let portName = PortName(name: name, protocol: proto)
                if !names.contains(portName) { names.append(portName) }
            }
        }
        return Split(plain: merged(plain), names: names)
    }

    /// Sorted, overlaps and neighbours joined.
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
