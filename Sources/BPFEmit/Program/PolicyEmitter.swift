/// Compiles a policy that is already bits into a program and its `peers` map, pass by pass. Each pass is a plain value made of
/// the values before it; what it guarantees stands beside it, in full in its own file.
public enum PolicyEmitter {
    /// The image of a policy. Equal policies give equal images.
    ///
    /// Trailing words that neither a peer nor a column carries are left out of the map's values, and a policy without entries has no
    /// map.
    ///
    /// - Throws: `EmitError` when the policy does not fit the limits or contradicts itself; nothing is ever cut off.
    /// - Complexity: O(words of `peers` + intervals of traffic * words of rule bits), and a sort of the bits and ranges.
    public static func emit(_ bits: PolicyBits) throws(EmitError) -> PolicyImage {
        // 1. Check limits: every bit fits, every entry of `peers` is about bits of the policy, in order.
        try PolicyLimits.check(bits)
        // 2. Trim words: the last word has a bit that somebody carries.
        let carried = CarriedBits(bits)
        // 3. Sort levels: tiers that are asked and bits that somebody can match, in their order.
        let levels = PolicyLevels(bits, carried: carried)
        // 4. Group decisions: the first group with a matching bit decides.
        let groups = DecisionGroups(levels)
        // 5. Partition traffic: the same bits can match all packets of an interval.
        let partition = TrafficPartition(bits)
        // 6. Build the graph: each interval has its tests, equal tests are one node, there is no cycle.
        let trees = PortTrees(partition, groups, hasPeers: !carried.words.isEmpty)
        // 7. Lay out blocks: each node stands once, behind the last jump to it.
        let nodes = BlockLayout(trees)
        // 8. Join tests: those of many ports ask in one place.
        let layout = JoinedTests.join(nodes)
        // 9. Write: instructions in their order, every label placed.
        let columns = bits.columns.map { column in
            PolicyBits.Column(number: column.number, list: column.list, words: carried.trimmed(column.words))
        }
        let hasMap = !bits.peers.isEmpty
        let builder = PolicyProgramWriter.write(
            layout, .init(hasMap: hasMap, words: carried.words.count, columns: columns))
        // 10. Assemble: every jump reaches its label with 16 bits, and the kernel takes the length.
        let program = try assemble(builder)
        return PolicyImage(
            program: program, words: hasMap ? carried.words.count : 0, peers: PeerTable(carried.trimmed(bits.peers)),
            columns: columns, names: columns.isEmpty ? 0 : bits.names, bits: bits.bits.map(\.rule),
            isolatedBy: bits.isolatedBy, strictness: trees.strictness)
    }

    private static func assemble(_ builder: ProgramBuilder) throws(EmitError) -> EncodedProgram {
        do { return try builder.assemble() } catch { throw .assembly(error) }
    }
}
