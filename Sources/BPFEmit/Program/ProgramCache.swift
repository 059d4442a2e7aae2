import PolicyAPI

/// Programs that were emitted: policies that say the same in other namespaces, as templates make them, are emitted once.
///
/// What a program is looked up by is what it is emitted from, so nothing that is not compared can be in it. It is kept for one batch:
/// what nobody uses any more is not held.
struct ProgramCache {
    /// A policy without what a program does not depend on.
    private struct Key: Hashable {
        let bits: PolicyBits

        /// Traffic tells policies apart, the rest seldom does.
        func hash(into hasher: inout Hasher) {
            for bit in bits.bits {
                for range in bit.traffic ?? [] {
                    hasher.combine(UInt64(range.firstKey) << 32 | UInt64(range.lastKey))
                }
            }
            hasher.combine(bits.bits.count)
        }
    }

    private var programs: [Key: PolicyProgram] = [:]

    /// The image of a policy: `PolicyEmitter.emit(bits)`.
    ///
    /// - Throws: as the emitter.
    mutating func image(of bits: PolicyBits) throws(EmitError) -> PolicyImage {
        let key = Key(bits: bits.withoutOrigins)
        if let known = programs[key] { return PolicyImage(bits, known) }
        let program = try PolicyEmitter.program(of: key.bits)
        programs[key] = program
        return PolicyImage(bits, program)
    }
}

extension PolicyBits {
    /// The policy without where its rules are written. Where several objects of a level have an order, origins tell where one ends and
    /// the next begins: then they stay.
    var withoutOrigins: PolicyBits {
        let nowhere = RuleOrigin(kind: "", namespace: "", name: "", path: "")
        var policy = self
        policy.isolatedBy = isolatedBy.isEmpty ? [] : [nowhere]
        policy.names = 0
        if bits.contains(where: { $0.order > 0 }) { return policy }
        for place in bits.indices { policy.bits[place].rule.origin = nowhere }
        return policy
    }
}
