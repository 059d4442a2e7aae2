/// A program ready for the kernel but for its maps and its counters: instruction words, and which of them name those.
public struct EncodedProgram: Hashable, Sendable {
    /// A place where a file descriptor belongs.
    public struct MapReference: Hashable, Sendable {
        /// Index of the (two-slot) load instruction in `instructions`.
        public var slot: Int
        /// The map.
        public var map: MapSymbol

        /// A reference.
        public init(slot: Int, map: MapSymbol) {
            self.slot = slot
            self.map = map
        }
    }

    /// What the instructions from a slot on are for.
    public struct Note: Hashable, Sendable {
        /// Index in `instructions`.
        public var slot: Int
        /// The purpose.
        public var note: BlockNote

        /// A note.
        public init(slot: Int, note: BlockNote) {
            self.slot = slot
            self.note = note
        }
    }

    /// The instructions, one `struct bpf_insn` each, in memory order read as little-endian 64-bit words:
    /// opcode | registers << 8 | offset << 16 | immediate << 32.
    public var instructions: [UInt64]
    /// The loads whose immediate the loader fills in (`BPF_PSEUDO_MAP_FD`), by slot.
    public var mapReferences: [MapReference]
    /// The moves whose immediate (upper 32 bits of the word, 0 as emitted) the loader replaces with the program's base in
    /// np_rule_hits, by slot.
    public var hitBaseSlots: [Int]
    /// What the instructions are for, by slot.
    public var notes: [Note]

    /// An encoded program.
    public init(
        instructions: [UInt64], mapReferences: [MapReference], hitBaseSlots: [Int] = [], notes: [Note] = []
    ) {
        self.instructions = instructions
        self.mapReferences = mapReferences
        self.hitBaseSlots = hitBaseSlots
        self.notes = notes
    }

    /// Puts the program's base in np_rule_hits into its places.
    public mutating func setHitBase(_ base: UInt32) {
        for slot in hitBaseSlots {
            instructions[slot] = instructions[slot] & 0xffff_ffff | UInt64(base) << 32
        }
    }
}

/// A map that an emitted program names.
public enum MapSymbol: String, Hashable, Sendable {
    /// The program's own `peers` hash: identity (u32, host order) to rule-bit words.
    case peers
    /// `np_steps`: the prog array of the C programs.
    case steps = "np_steps"
}
