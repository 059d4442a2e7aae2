import BPFEmit

extension Condition {
    /// How many are named.
    private static let named = 8

    /// The condition for patterns and entries of names that did not fit into the tables.
    ///
    /// - Parameters:
    ///   - patterns: all that did not fit.
    ///   - denied: those of them that the proxy does not decide.
    ///   - entries: what found no room besides.
    /// - Returns: the condition; `nil` when everything fits.
    static func namesLeftOut(_ patterns: [String], denied: [String], entries: Int) -> Condition? {
        guard !patterns.isEmpty || entries > 0 else { return nil }
        var parts: [String] = []
        let proxied = patterns.count - denied.count
        if proxied > 0 {
            let list = denied.isEmpty ? " (\(list(patterns)))" : ""
            parts.append(
                "there is no room for \(count(proxied))\(list): pods whose policies have them are told to ask over "
                    + "TCP, and the proxy decides")
        }
        if !denied.isEmpty {
            parts.append(
                "there is no room for \(count(denied.count)) (\(list(denied))): what they would allow is denied")
        }
        if entries > 0 {
            parts.append(
                "there is no room for what \(entries) sets of names satisfy: what they would allow is denied")
        }
        return Condition(kind: .namesLeftOut, subject: "names", message: parts.joined(separator: "; "))
    }

    private static func count(_ patterns: Int) -> String { "\(patterns) pattern\(patterns == 1 ? "" : "s") of names" }

    private static func list(_ patterns: [String]) -> String {
        let more = patterns.count - named
        return patterns.prefix(named).joined(separator: ", ")
            + (more > 0 ? " and \(more) more, all in `netpold status --json`" : "")
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
