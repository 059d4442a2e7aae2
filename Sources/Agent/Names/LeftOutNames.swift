import BPFEmit

extension Condition {
    /// How many are named.
    private static let named = 8

    /// The condition for patterns and entries of names that did not fit into the tables; `nil` for none.
    static func namesLeftOut(_ patterns: [String], entries: Int) -> Condition? {
        guard !patterns.isEmpty || entries > 0 else { return nil }
        var parts: [String] = []
        if !patterns.isEmpty {
            let more = patterns.count - named
            let list = patterns.prefix(named).joined(separator: ", ") + (more > 0 ? " and \(more) more" : "")
            parts.append("there is no room for \(patterns.count) patterns of names (\(list))")
        }
        if entries > 0 { parts.append("there is no room for what \(entries) sets of names satisfy") }
        return Condition(
            kind: .namesLeftOut, subject: "names",
            message: parts.joined(separator: "; ") + ": what they would allow is denied")
    }

    /// Pods whose learnt addresses have no more room.
    static func learntFull(_ uses: [EndpointKey: LearntUse]) -> [Condition] {
        uses.filter { $0.value.refused > 0 }.sorted { $0.key < $1.key }.map { pod, use in
            Condition(
                kind: .learntFull, subject: "\(pod)",
                message:
                    "\(pod) has \(use.entries) addresses learnt from DNS, and \(use.refused) have found no room: policies do "
                    + "not allow these")
        }
    }
}
