public import BPFEmit

/// Runs emitted programs without a kernel, and refuses what the verifier would refuse.
///
/// Covers exactly the emitted subset: arithmetic, jumps, `cb` of the context, the stack, lookups in a map of 64-bit words,
/// and tail calls. The whole state of a run is in `BPFMachine`; the interpreter itself is the decoded program.
public struct BPFInterpreter: Sendable {
    /// The maps a program sees.
    public protocol Maps {
        /// The value (64-bit words) of a 32-bit key; `nil` if there is none.
        func lookup(_ map: MapSymbol, key: UInt32) -> [UInt64]?
        /// Whether a tail call to that slot succeeds.
        func hasProgram(_ map: MapSymbol, index: UInt32) -> Bool
    }

    /// How a run ended.
    public enum Ending: Hashable, Sendable {
        /// The program returned this.
        case returned(UInt64)
        /// It went on with another program.
        case tailCall(MapSymbol, index: UInt32)
    }

    /// By slot; `nil` for the second half of a load.
    private let instructions: [Instruction?]

    /// A program ready to run. The places of `hitBaseSlots` hold what they hold.
    ///
    /// - Throws: `InterpreterError.notDecodable`.
    public init(_ program: EncodedProgram) throws(InterpreterError) {
        var slots: [Instruction?] = Array(repeating: nil, count: program.instructions.count)
        do {
            for (slot, instruction) in try program.decoded() { slots[slot] = instruction }
        } catch {
            throw .notDecodable(slot: error.slot, reason: error.reason)
        }
        instructions = slots
    }

    /// Runs the program once.
    ///
    /// - Parameters:
    ///   - cb: `skb->cb`, 5 words in host order; what the program stores is there afterwards.
    ///   - maps: what lookups and tail calls find.
    ///   - budget: instructions it may take.
    /// - Returns: how the program ended: its return value, or the tail call it left by.
    /// - Throws: when an instruction cannot be carried out, and `budgetExceeded` when the program has not ended in time.
    public func run(
        cb: inout [UInt32], maps: some Maps, budget: Int = 1_000_000
    ) throws(InterpreterError) -> Ending {
        var machine = BPFMachine(cb: cb)
        defer { cb = machine.cb }
        for _ in 0..<budget {
            guard instructions.indices.contains(machine.slot), let instruction = instructions[machine.slot] else {
                throw .notAnInstruction(slot: machine.slot)
            }
            if let ending = try machine.execute(instruction, maps) { return ending }
        }
        throw .budgetExceeded(budget)
    }
}
