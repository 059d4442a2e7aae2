/// Why a program under construction cannot be assembled.
public enum AssemblyError: Error, Hashable, Sendable {
    /// Jumps go to labels that were never placed: their names, sorted.
    case unresolvedLabels([String])
    /// A label was placed twice.
    case labelPlacedTwice(String)
    /// The last instruction runs off the end of the program, or a label stands behind it.
    case runsOffTheEnd
    /// A jump backward spans more slots than an offset holds. Forward jumps never fail: they get trampolines.
    case jumpTooFar(slot: Int, label: String)
    /// More slots than the kernel takes.
    case tooLong(slots: Int, limit: Int)
}

extension AssemblyError: CustomStringConvertible {
    /// One sentence.
    public var description: String {
        switch self {
        case .unresolvedLabels(let names): "jumps to labels that are never placed: \(names.joined(separator: ", "))"
        case .labelPlacedTwice(let name): "label \(name) is placed twice"
        case .runsOffTheEnd: "the program runs off its end"
        case .jumpTooFar(let slot, let label): "slot \(slot): the jump back to \(label) is too far for 16 bits"
        case .tooLong(let slots, let limit): "\(slots) instructions, the kernel takes \(limit)"
        }
    }
}
