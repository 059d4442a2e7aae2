public import BPFEmit

/// Why the interpreter stopped: a program that does any of this would not get past the kernel's verifier, or it is not of the
/// emitted subset.
public enum InterpreterError: Error, Hashable, Sendable {
    /// Words that are not an instruction of the subset.
    case notDecodable(slot: Int, reason: String)
    /// Execution reached a slot that is outside the program or the second half of a load.
    case notAnInstruction(slot: Int)
    /// A register was read before it was written, or after a call took it.
    case uninitialisedRegister(slot: Int, Register)
    /// A write to r10.
    case readOnlyRegister(slot: Int)
    /// Stack bytes were read before they were written.
    case uninitialisedStack(slot: Int)
    /// A load or store outside the context's cb, the stack or the map value, unaligned, or not through a pointer.
    case badAccess(slot: Int, detail: String)
    /// Arithmetic or a comparison that is not defined for these operands.
    case badOperands(slot: Int)
    /// A helper's argument is not what it takes.
    case badArgument(slot: Int, Helper)
    /// The program returns something that is not a number.
    case badReturnValue(slot: Int)
    /// More instructions than the budget.
    case budgetExceeded(Int)
}
