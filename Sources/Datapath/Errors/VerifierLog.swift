/// What the kernel's verifier wrote about a program it refused.
public struct VerifierLog: Hashable, Sendable {
    /// The whole log.
    public let text: String

    /// A log as the kernel wrote it.
    public init(_ text: String) { self.text = text }

    /// The few lines that say what is wrong, in the order of the log: the source line and the instruction the verifier
    /// stopped at, the registers before it when it printed them, and its verdict. At most six; empty for an empty log.
    ///
    /// The verifier explores paths and prints as it goes, so the cause is at the end: the last lines that are not
    /// statistics are the verdict, and the nearest instruction above them is the one it is about.
    public var decisiveLines: [String] {
        let lines = text.split(separator: "\n").map(Self.trimmed).filter { !$0.isEmpty && !Self.isStatistics($0) }
        guard let lastLine = lines.indices.last else { return [] }
        // The verdict may be several lines; instructions, sources and states are never part of it.
        var firstVerdict = lines.endIndex
        while firstVerdict > 0, lastLine - firstVerdict < 2, Self.isVerdict(lines[firstVerdict - 1]) {
            firstVerdict -= 1
        }
        let verdict = lines[firstVerdict...]
        let before = lines[..<firstVerdict]
        guard let instruction = before.lastIndex(where: Self.isInstruction) else { return Array(verdict) }
        var decisive: [String] = []
        if let source = before[..<instruction].lastIndex(where: { $0.hasPrefix(";") }),
            // A source line many instructions away belongs to something else.
            before[source..<instruction].count(where: Self.isInstruction) < 8
        {
            decisive.append(before[source])
        }
        if instruction > 0, Self.isState(before[instruction - 1]) { decisive.append(before[instruction - 1]) }
        decisive.append(before[instruction])
        return decisive + verdict
    }

    private static func trimmed(_ line: Substring) -> String {
        var line = line
        while line.last == " " || line.last == "\r" || line.last == "\0" { line.removeLast() }
        return String(line)
    }

    /// Figures that follow every log, and the tracking of precision, which is bookkeeping.
    private static func isStatistics(_ line: String) -> Bool {
        ["processed ", "verification time ", "stack depth ", "mark_precise:", "max_states_per_insn", "peak_states"]
            .contains { line.hasPrefix($0) }
    }

    /// `12: (61) r1 = *(u32 *)(r0 +0)`, also with the state after it.
    private static func isInstruction(_ line: String) -> Bool {
        let digits = line.prefix { $0.isNumber }
        return !digits.isEmpty && line.dropFirst(digits.count).hasPrefix(": (")
    }

    /// `R0=map_value(...) R10=fp0`, `12: R0_w=...`, `from 3 to 7: R0=...`.
    private static func isState(_ line: String) -> Bool {
        if line.hasPrefix("from "), line.contains(": R") { return true }
        let rest = line.drop { $0.isNumber }
        let state = rest.hasPrefix(": ") ? rest.dropFirst(2) : Substring(line)
        guard state.first == "R", let second = state.dropFirst().first, second.isNumber else { return false }
        return state.prefix { $0 != " " }.contains("=")
    }

    private static func isVerdict(_ line: String) -> Bool {
        !isInstruction(line) && !isState(line) && !line.hasPrefix(";") && !line.hasPrefix("func#")
    }
}
