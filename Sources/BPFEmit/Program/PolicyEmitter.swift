import CNetpoldABI

/// Compiles a policy that is already bits into a program and its `peers` map.
public enum PolicyEmitter {
    /// The image of a policy. Equal policies give equal images.
    ///
    /// Trailing words that no peer carries are left out of the map's values, and a policy without specific peers has no map.
    ///
    /// - Throws: `EmitError` when the policy does not fit the limits or contradicts itself; nothing is ever cut off.
    public static func emit(_ bits: PolicyBits) throws(EmitError) -> PolicyImage {
        try check(bits)
        let carried = carriedBits(bits)
        let words = carried.count
        let groups = DecisionGroups(bits, carried: carried)
        let isolated = !bits.isolatedBy.isEmpty

        var graph = DecisionGraph()
        var known = PortTree()
        var unknown = PortTree()
        TrafficPartition.forEachInterval(of: bits) { start, active in
            if words > 0 {
                known.append(start: start, tests: graph.tests(groups, active: active, hit: true, isolated: isolated))
            }
            unknown.append(start: start, tests: graph.tests(groups, active: active, hit: false, isolated: isolated))
        }

        var writer = PolicyProgramWriter(graph: graph)
        let program: EncodedProgram
        do {
            program = try writer.program(known: words > 0 ? known : nil, unknown: unknown)
        } catch {
            throw .assembly(error)
        }
        return PolicyImage(
            program: program, words: words,
            peers: bits.peers.map { PeerEntry(identity: $0.identity, words: fit($0.words, to: words)) },
            bits: bits.bits.map(\.rule), isolatedBy: bits.isolatedBy)
    }

    private static func check(_ bits: PolicyBits) throws(EmitError) {
        let limit = Int(NP_MAX_RULE_WORDS) * 64
        let count = bits.bits.count + (bits.hostBit == nil ? 0 : 1)
        guard count <= limit else { throw .tooManyRules(bits: count, limit: limit) }
        if let host = bits.hostBit, host != bits.bits.count {
            throw .misplacedHostBit(host, expected: bits.bits.count)
        }
        for (previous, entry) in zip(bits.peers, bits.peers.dropFirst()) where previous.identity >= entry.identity {
            throw .unsortedPeers(identity: entry.identity)
        }
        for entry in bits.peers {
            for (word, value) in entry.words.enumerated() where value != 0 {
                let used = min(max(count - word * 64, 0), 64)
                guard used == 64 || value >> UInt64(used) == 0 else { throw .strayPeerBits(identity: entry.identity) }
            }
        }
    }

    /// The union of all `peers` entries, without trailing zero words.
    private static func carriedBits(_ bits: PolicyBits) -> [UInt64] {
        var union = [UInt64](repeating: 0, count: bits.words)
        for entry in bits.peers {
            for (word, value) in entry.words.enumerated() where value != 0 { union[word] |= value }
        }
        while union.last == 0 { union.removeLast() }
        return union
    }

    private static func fit(_ words: [UInt64], to count: Int) -> [UInt64] {
        // The usual case keeps the array, which many entries share.
        words.count == count
            ? words : Array(words.prefix(count)) + [UInt64](repeating: 0, count: max(count - words.count, 0))
    }
}
