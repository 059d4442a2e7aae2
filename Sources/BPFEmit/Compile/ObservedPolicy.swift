import NetTypes
import PolicyAPI
import PolicyIR

/// A compiled policy that also answers for Services which the node does not translate.
///
/// A Service's address carries the bits of whoever has the address. At a port of a Service the endpoints decide instead: where
/// the policy, asked about all of them, says something else than those bits do, a bit of its own says it, before every rule.
/// So programs stay what they are, a table and tests of bits, and a packet costs no more.
struct ObservedPolicy {
    /// The priority of bits of Services: before every rule of the first tier, whose priorities are moved up by one.
    private static let priority: UInt32 = 0
    /// The kind of object that such a bit is said to come from.
    static let originKind = "Service"

    /// What one bit is for: equal ports of targets with the same answer share it.
    private struct Group: Hashable {
        var outcome: PolicyBits.Outcome
        var traffic: [PolicyBits.ResolvedTraffic]
    }

    /// A policy without Services, and what it was made of.
    struct Plain {
        var direction: Direction
        var isolatedBy: [RuleOrigin]
        /// The bits, without the host bit.
        var bits: [PolicyBits.Bit]
        var image: PolicyImage
    }

    /// The image of a policy with the targets.
    ///
    /// - Returns: the plain image where no target makes a difference.
    /// - Throws: `EmitError` when there are more bits than a program may have.
    static func emit(_ plain: Plain, _ targets: ObservedTargets) throws(EmitError) -> PolicyImage {
        var words: [UInt32: [UInt64]] = [:]
        for entry in plain.image.peers { words[entry.identity] = entry.words }
        var groups: [Group: (targets: [UInt32], services: Set<ServiceName>)] = [:]
        if plain.direction == .egress, !plain.bits.isEmpty || !plain.isolatedBy.isEmpty {
            for target in targets.targets.values { group(target, plain, words, &groups) }
        }
        var result = plain.image
        let added = targets.addresses.isEmpty ? [] : carried(targets, words)
        if groups.isEmpty {
            // Nothing decides in another way: the addresses alone are new.
            result.peers = (plain.image.peers + added).sorted { $0.identity < $1.identity }
            return result
        }
        for entry in added { words[entry.identity] = entry.words }
        let sorted = groups.sorted { precedes($0.key, $1.key) }
        var bits = plain.bits.map { bit in
            var bit = bit
            if bit.tier == .admin { bit.priority += 1 }
            return bit
        }
        let width = (bits.count + sorted.count + 63) / 64
        for (group, users) in sorted {
            let number = bits.count
            bits.append(
                PolicyBits.Bit(
                    rule: RuleBit(
                        rule: number, action: group.outcome.passes || group.outcome == .l7 ? .allow : .deny,
                        isL7: group.outcome == .l7, origin: origin(users.services)),
                    tier: .admin, priority: priority, matchesAnyPeer: false, traffic: group.traffic))
            for target in users.targets {
                var row = words[target] ?? []
                row += [UInt64](repeating: 0, count: max(0, width - row.count))
                row[number / 64] |= 1 << UInt64(number % 64)
                words[target] = row
            }
        }
        let peers = words.sorted { $0.key < $1.key }.map { identity, row in
            PeerEntry(identity: identity, words: row + [UInt64](repeating: 0, count: max(0, width - row.count)))
        }
        return try PolicyEmitter.emit(
            PolicyBits(direction: plain.direction, isolatedBy: plain.isolatedBy, bits: bits, hostBit: nil, peers: peers)
        )
    }

    /// A policy that denies everything, for one that does not fit.
    static func closed(_ plain: Plain) -> PolicyImage {
        let origins = plain.isolatedBy.isEmpty ? plain.bits.prefix(1).map(\.rule.origin) : plain.isolatedBy
        let bits = PolicyBits(
            direction: plain.direction, isolatedBy: origins, bits: [], hostBit: nil, peers: [])
        // Nothing to fail on is left; if it did, an empty program is one that no loader takes.
        return (try? PolicyEmitter.emit(bits))
            ?? PolicyImage(
                program: EncodedProgram(instructions: [], mapReferences: []), words: 0, peers: [], bits: [],
                isolatedBy: origins, strictness: .isolating)
    }

    /// What addresses of Services carry because of whoever has them.
    private static func carried(_ targets: ObservedTargets, _ words: [UInt32: [UInt64]]) -> [PeerEntry] {
        targets.addresses.values.compactMap { identity in
            guard let base = targets.targets[identity]?.base, let row = words[base] else { return nil }
            return PeerEntry(identity: identity, words: row)
        }
    }

    private static func group(
        _ target: ObservedTargets.Target, _ plain: Plain, _ words: [UInt32: [UInt64]],
        _ groups: inout [Group: (targets: [UInt32], services: Set<ServiceName>)]
    ) {
        let isIsolated = !plain.isolatedBy.isEmpty
        func outcome(_ identity: UInt32, _ protocol: L4Protocol, _ port: UInt16) -> PolicyBits.Outcome {
            PolicyBits.outcome(
                plain.bits, isIsolated: isIsolated, words: words[identity] ?? [], `protocol`, port)
        }
        var traffic: [PolicyBits.Outcome: (ports: [PolicyBits.ResolvedTraffic], services: Set<ServiceName>)] = [:]
        for row in target.rows {
            let wanted =
                row.ends.map { outcome($0.identity, row.protocol, $0.port) }.max()
                ?? (isIsolated ? .defaultDenied : .open)
            let already = outcome(target.base, row.protocol, row.port)
            // Whether a rule allows, or none denies, makes no difference for a packet; that a rule denies is worth saying.
            if wanted == already || (wanted.passes && already.passes) { continue }
            if wanted == .defaultDenied, already == .denied { continue }
            let answer: PolicyBits.Outcome = wanted.passes ? .allowed : wanted == .l7 ? .l7 : .denied
            traffic[answer, default: ([], [])].ports.append(.init(row.protocol, PortRange(row.port)))
            traffic[answer, default: ([], [])].services.insert(row.service)
        }
        for (answer, found) in traffic {
            let group = Group(outcome: answer, traffic: found.ports.sorted())
            groups[group, default: ([], [])].targets.append(target.identity)
            groups[group, default: ([], [])].services.formUnion(found.services)
        }
    }

    private static func precedes(_ left: Group, _ right: Group) -> Bool {
        if left.outcome != right.outcome { return left.outcome > right.outcome }
        return left.traffic.lexicographicallyPrecedes(right.traffic)
    }

    /// What decisions of a bit are said to come from: the Service, or the first of them and how many more.
    private static func origin(_ services: Set<ServiceName>) -> RuleOrigin {
        let sorted = services.sorted()
        let first = sorted.first ?? ServiceName(namespace: "", name: "")
        let more = sorted.count > 1 ? "and \(sorted.count - 1) more" : ""
        return RuleOrigin(kind: originKind, namespace: first.namespace, name: first.name, path: more)
    }
}
