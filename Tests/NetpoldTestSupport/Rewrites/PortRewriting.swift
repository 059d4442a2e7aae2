import NetTypes
import PolicyAPI

/// Lists of ports in other words.
enum PortRewriting {
    /// One element, of either kind of policy.
    struct Item {
        var protocols: [L4Protocol]
        var port: PortProtocol.Port
    }

    /// Each range as two, where it holds two ports or more.
    static func split(_ items: [Item], _ random: inout SplitMix64) -> [Item] {
        items.flatMap { item in
            guard case .range(let range) = item.port, range.first < range.last else { return [item] }
            let end = range.first + UInt16(random.below(Int(range.last - range.first)))
            return [PortRange(range.first, end), PortRange(end + 1, range.last)].map {
                Item(protocols: item.protocols, port: .range($0))
            }
        }
    }

    /// Ranges that touch or overlap as one, for each protocol.
    static func merged(_ items: [Item]) -> [Item] {
        var kept: [Item] = []
        var ranges: [L4Protocol: [PortRange]] = [:]
        for item in items {
            guard case .range(let range) = item.port else {
                kept.append(item)
                continue
            }
            for wanted in item.protocols { ranges[wanted, default: []].append(range) }
        }
        for (wanted, written) in ranges.sorted(by: { $0.key < $1.key }) {
            var sorted = written.sorted()[...]
            while var range = sorted.popFirst() {
                while let next = sorted.first, Int(next.first) <= Int(range.last) + 1 {
                    range = PortRange(range.first, max(range.last, next.last))
                    sorted = sorted.dropFirst()
                }
                kept.append(Item(protocols: [wanted], port: .range(range)))
            }
        }
        return kept
    }
}

extension PortProtocol.Port {
    /// A NetworkPolicy's port.
    init(_ port: NetworkPolicyPort.Port) {
        switch port {
        case .all: self = .all
        case .range(let range): self = .range(range)
        case .named(let name): self = .named(name)
        }
    }

    /// As a NetworkPolicy's port.
    var network: NetworkPolicyPort.Port {
        switch self {
        case .all: .all
        case .range(let range): .range(range)
        case .named(let name): .named(name)
        }
    }
}
