import NetTypes
import PolicyAPI
import PolicyIR

/// Cuts prefixes of addresses where anything of a cluster tells addresses apart: what pods, nodes and Services own, what policies name, what
/// DNS has answered, what nodes answer themselves. Within a part every address gets the same answer, so one of them stands for all.
struct AddressParts {
    /// Addresses that nothing tells apart.
    struct Part {
        /// One of them.
        let example: IPAddress
        /// All of them, sorted.
        let prefixes: [IPPrefix]
    }

    /// The most prefixes that a question is cut into.
    private static let limit = 1 << 18

    private let edges: [IPPrefix]
    private let evaluator: ReferenceEvaluator
    private let frontends: Set<IPAddress>

    init(_ objects: ClusterObjects, _ evaluator: ReferenceEvaluator) {
        self.evaluator = evaluator
        let nodes = [nil] + objects.nodes.map { Optional($0.metadata.name) }
        frontends = Set(nodes.flatMap { evaluator.services.allFrontends(on: $0).frontends.map(\.address) })
        var hosts = frontends.union(evaluator.serviceSettings.listeners)
        hosts.formUnion(objects.pods.lazy.flatMap(\.addresses))
        hosts.formUnion(objects.nodes.lazy.flatMap(\.addresses))
        hosts.formUnion(objects.endpointSlices.lazy.flatMap(\.addresses))
        hosts.formUnion(objects.names.values.lazy.flatMap(\.self))
        var edges = Set(hosts.map { IPPrefix(host: $0) })
        for policy in evaluator.policies {
            for rule in (policy.ingress?.rules ?? []) + (policy.egress?.rules ?? []) {
                guard case .anyOf(let peers) = rule.peers else { continue }
                for case .addresses(let prefix, let except, _) in peers {
                    edges.insert(prefix)
                    edges.formUnion(except)
                }
            }
        }
        edges.formUnion(AddressParts.shared)
        for network in objects.localNetworks {
            edges.insert(IPPrefix(host: network.address))
            if let last = AddressParts.last(of: network) { edges.insert(IPPrefix(host: last)) }
        }
        self.edges = edges.sorted()
    }

    /// Groups and broadcast, which a node takes itself, and link-local addresses, of which nobody says whose they are.
    private static var shared: [IPPrefix] {
        [
            IPPrefix(IPAddress(high: 0xff << 56, low: 0), length: 8),
            IPPrefix(IPAddress(high: 0xfe80 << 48, low: 0), length: 10),
            IPPrefix(IPAddress(ipv4: 0xe000_0000), length: 4), IPPrefix(IPAddress(ipv4: .max), length: 32),
        ].compactMap(\.self)
    }

    private static func last(of network: IPPrefix) -> IPAddress? {
        guard let first = network.address.ipv4 else { return nil }
        return IPAddress(
            ipv4: network.length == 0 ? .max : first | (network.length == 32 ? 0 : .max >> UInt32(network.length)))
    }

    /// The parts of a prefix, in the order of their first addresses.
    ///
    /// - Parameters:
    ///   - whole: the prefix.
    ///   - onlyOutside: whether addresses of pods, nodes and Services are left out.
    /// - Returns: the parts; none together hold more or less than the prefix.
    /// - Throws: `FlowText.Mistake` when there are too many.
    func parts(of whole: IPPrefix, onlyOutside: Bool = false) throws(FlowText.Mistake) -> [Part] {
        var leaves: [[IPPrefix]: [IPPrefix]] = [:]
        var order: [[IPPrefix]] = []
        var count = 0
        func cut(_ prefix: IPPrefix, _ inside: [IPPrefix], _ around: [IPPrefix]) {
            var around = around
            var inside = inside
            if inside.first == prefix { around.append(inside.removeFirst()) }
            if !inside.isEmpty, let halves = prefix.halves {
                for half in [halves.0, halves.1] { cut(half, inside.filter { half.contains($0) }, around) }
                return
            }
            count += 1
            guard count <= AddressParts.limit else { return }
            if leaves[around] == nil { order.append(around) }
            leaves[around, default: []].append(prefix)
        }
        cut(whole, edges.filter { whole.contains($0) }, edges.filter { $0.contains(whole) && $0 != whole })
        guard count <= AddressParts.limit else {
            throw FlowText.Mistake(description: "\(whole) is cut into too many parts; ask about a smaller prefix")
        }
        return order.compactMap { key in
            guard let prefixes = leaves[key], let first = prefixes.first else { return nil }
            if onlyOutside {
                guard evaluator.view.owner(of: first.address) == .outside, !frontends.contains(first.address) else {
                    return nil
                }
            }
            return Part(example: first.address, prefixes: prefixes)
        }
    }

    /// The fewest prefixes that hold the same addresses as some that share none.
    static func merged(_ prefixes: [IPPrefix]) -> [IPPrefix] {
        var merged: [IPPrefix] = []
        for prefix in prefixes.sorted() {
            merged.append(prefix)
            while merged.count > 1 {
                let (left, right) = (merged[merged.count - 2], merged[merged.count - 1])
                guard left.length == right.length, left.length > 0,
                    let both = IPPrefix(left.address, length: left.length - 1), both.halves?.0 == left,
                    both.halves?.1 == right
                else { break }
                merged.removeLast(2)
                merged.append(both)
            }
        }
        return merged
    }
}

extension IPPrefix {
    /// Its two halves; `nil` for a single address.
    var halves: (IPPrefix, IPPrefix)? {
        guard mappedLength < 128, let left = IPPrefix(address, length: length + 1) else { return nil }
        let bit = mappedLength
        let upper =
            bit < 64
            ? IPAddress(high: address.high | 1 << UInt64(63 - bit), low: address.low)
            : IPAddress(high: address.high, low: address.low | 1 << UInt64(127 - bit))
        return IPPrefix(upper, length: length + 1).map { (left, $0) }
    }
}
