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

    /// What bits are for: equal ports of targets with the same answer share them.
    private struct Group: Hashable {
        var outcome: PolicyBits.Outcome
        var traffic: [PolicyBits.ResolvedTraffic]
        /// Of `l7`: the policy's bits that all endpoints behind L7 rules match; none where they match different ones.
        var l7: [Int]
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
            result.peers = PeerTable((plain.image.peers + added).sorted { $0.identity < $1.identity })
            return result
        }
        for entry in added { words[entry.identity] = entry.words }
        return try emit(plain, words, groups.sorted { precedes($0.key, $1.key) })
    }

    /// The image with groups. Bits with L7 conditions stand behind the policy's own, as all must be of the first word; the others
    /// behind all of its bits.
    private static func emit(
        _ plain: Plain, _ words: [UInt32: [UInt64]],
        _ groups: [(key: Group, value: (targets: [UInt32], services: Set<ServiceName>))]
    ) throws(EmitError) -> PolicyImage {
        let own = plain.bits.count { $0.rule.isL7 }
        var l7: [(bit: RuleBit, group: Int)] = []
        var others: [(bit: RuleBit, group: Int)] = []
        var leftOut = plain.image.leftOut
        for (number, (group, users)) in groups.enumerated() {
            let origin = origin(users.services)
            let conditions = l7Conditions(group, plain)
            if own + l7.count + conditions.count > 64 {
                leftOut.append(LeftOutRule(origin: origin, reason: .l7Bits))
                others.append((RuleBit(rule: 0, action: .deny, isL7: false, origin: origin), number))
                continue
            }
            if group.outcome == .l7, group.l7.isEmpty {
                leftOut.append(LeftOutRule(origin: origin, reason: .endpoints))
            }
            l7 += conditions.map {
                (RuleBit(rule: 0, action: .allow, isL7: true, origin: origin, l7: $0), number)
            }
            if group.outcome == .l7 { continue }
            others.append(
                (RuleBit(rule: 0, action: group.outcome.passes ? .allow : .deny, isL7: false, origin: origin), number))
        }
        var bits: [PolicyBits.Bit] = []
        var carriers: [(bit: Int, group: Int)] = []
        func append(_ added: [(bit: RuleBit, group: Int)]) {
            for (bit, group) in added {
                var rule = bit
                rule.rule = plain.bits.count + carriers.count
                carriers.append((bits.count, group))
                bits.append(
                    PolicyBits.Bit(
                        rule: rule, tier: .admin, priority: priority, matchesAnyPeer: false,
                        traffic: groups[group].key.traffic))
            }
        }
        let behind = plain.bits.map { bit in
            var bit = bit
            if bit.tier == .admin { bit.priority += 1 }
            return bit
        }
        bits = Array(behind[..<own])
        append(l7)
        bits += behind[own...]
        append(others)
        let width = (bits.count + 63) / 64
        var rows = words.mapValues { moved($0, from: own, by: l7.count, width: width) }
        for (bit, group) in carriers {
            for target in groups[group].value.targets {
                rows[target, default: Array(repeating: 0, count: width)][bit / 64] |= 1 << UInt64(bit % 64)
            }
        }
        let peers = rows.sorted { $0.key < $1.key }.map { PeerEntry(identity: $0, words: $1) }
        let columns = plain.image.columns.map {
            PolicyBits.Column(
                number: $0.number, list: $0.list, words: moved($0.words, from: own, by: l7.count, width: width))
        }
        var image = try PolicyEmitter.emit(
            PolicyBits(
                direction: plain.direction, isolatedBy: plain.isolatedBy, bits: bits, hostBit: nil, peers: peers,
                columns: columns, names: plain.image.names))
        image.leftOut = leftOut
        return image
    }

    /// What the bits of a group ask for: of `l7` what the endpoints' do, or something that nothing satisfies; of `read` that it is
    /// read.
    private static func l7Conditions(_ group: Group, _ plain: Plain) -> [L7Match?] {
        switch group.outcome {
        case .l7: group.l7.isEmpty ? [nil] : group.l7.map { plain.bits[$0].rule.l7 }
        case .read: [.dns([])]
        case .open, .allowed, .defaultDenied, .denied: []
        }
    }

    /// A row in which the bits from one on are so many places higher.
    private static func moved(_ row: [UInt64], from first: Int, by distance: Int, width: Int) -> [UInt64] {
        var result = [UInt64](repeating: 0, count: width)
        for (word, value) in row.enumerated() {
            var rest = value
            while rest != 0 {
                let bit = word * 64 + rest.trailingZeroBitCount
                rest &= rest - 1
                let place = bit < first ? bit : bit + distance
                result[place / 64] |= 1 << UInt64(place % 64)
            }
        }
        return result
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
        func outcome(
            _ identity: UInt32, _ protocol: L4Protocol, _ port: UInt16
        ) -> (outcome: PolicyBits.Outcome, l7: [Int]) {
            PolicyBits.outcome(
                plain.bits, isIsolated: isIsolated, words: words[identity] ?? [], `protocol`, port)
        }
        struct Answer: Hashable {
            var outcome: PolicyBits.Outcome
            var l7: [Int]
        }
        var traffic: [Answer: (ports: [PolicyBits.ResolvedTraffic], services: Set<ServiceName>)] = [:]
        for row in target.rows {
            let ends = row.ends.map { outcome($0.identity, row.protocol, $0.port) }
            var wanted = ends.map(\.outcome).max() ?? (isIsolated ? .defaultDenied : .open)
            // What only some endpoints' exchanges are read for is not read.
            if wanted == .read, ends.contains(where: { $0.outcome != .read }) { wanted = .allowed }
            let sets = Set(ends.filter { $0.outcome == .l7 }.map(\.l7))
            let l7 = wanted == .l7 && sets.count == 1 ? sets.first ?? [] : []
            let already = outcome(target.base, row.protocol, row.port)
            // Whether a rule allows, or none denies, makes no difference for a packet; that a rule denies is worth saying.
            if wanted == already.outcome, wanted != .l7 || l7 == already.l7 { continue }
            if wanted.passes, already.outcome.passes, wanted != .read, already.outcome != .read { continue }
            if wanted == .defaultDenied, already.outcome == .denied { continue }
            let answer: PolicyBits.Outcome =
                switch wanted {
                case .open, .allowed: .allowed
                case .read, .l7: wanted
                case .defaultDenied, .denied: .denied
                }
            traffic[Answer(outcome: answer, l7: l7), default: ([], [])].ports.append(
                .init(row.protocol, PortRange(row.port)))
            traffic[Answer(outcome: answer, l7: l7), default: ([], [])].services.insert(row.service)
        }
        for (answer, found) in traffic {
            let group = Group(outcome: answer.outcome, traffic: found.ports.sorted(), l7: answer.l7)
            groups[group, default: ([], [])].targets.append(target.identity)
            groups[group, default: ([], [])].services.formUnion(found.services)
        }
    }

    private static func precedes(_ left: Group, _ right: Group) -> Bool {
        if left.outcome != right.outcome { return left.outcome > right.outcome }
        if left.l7 != right.l7 { return left.l7.lexicographicallyPrecedes(right.l7) }
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
