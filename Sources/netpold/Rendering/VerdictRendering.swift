import Agent
import BPFEmit
import NetTypes
import Support

/// Writes verdicts for people: one line for what happened, and under a drop the lines that say why.
struct VerdictRendering: Sendable {
    private let style: TextStyle
    private let clock: @Sendable (UInt64) -> String

    /// A rendering; `clock` writes a time given in milliseconds since 1970.
    init(style: TextStyle, clock: @escaping @Sendable (UInt64) -> String) {
        self.style = style
        self.clock = clock
    }

    /// The lines of a verdict.
    func lines(_ verdict: FlowVerdict) -> [String] {
        let word = verdict.isDrop ? style.bad("DENIED ") : style.good("ALLOWED")
        let type = verdict.icmpType.map { " type \($0)" } ?? ""
        var first =
            "\(style.faint(clock(verdict.timeMilliseconds))) \(word) \(end(verdict.source)) -> "
            + "\(end(verdict.destination)) \(verdict.protocol)\(type)"
        let side = "\(verdict.direction) of \(verdict.subject)"
        if let rule = verdict.rule {
            // A rule that allows does not drop: the reason does.
            if verdict.isDrop, verdict.reason != VerdictReason.name(wire: VerdictReason.policyDeny.rawValue) {
                return [first + "  \(style.faint(side)): \(verdict.sentence), \(text(rule))"]
            }
            first += "  \(style.faint(side)) by \(text(rule))"
            return [first]
        }
        first += "  \(style.faint(side)): \(verdict.sentence)"
        if let name = verdict.name, !name.isEmpty { first += ": \(style.strong(name))" }
        if let request = verdict.request {
            first += ": \(style.strong("\(request.method) \(request.host)\(request.path)"))"
        }
        var lines = [first]
        let indent = String(repeating: " ", count: clock(verdict.timeMilliseconds).count + 9)
        lines += verdict.isolatedBy.map { "\(indent)isolated by \(text($0))" }
        if let miss = verdict.nearestMiss { lines.append("\(indent)nearest rule \(miss)") }
        return lines
    }

    /// The line about verdicts that are not shown.
    func line(lost count: UInt64) -> String {
        style.notable(
            "-- \(count) verdict\(count == 1 ? "" : "s") not shown: more than this reader or the event ring takes")
    }

    private func text(_ rule: FlowVerdict.Rule) -> String {
        var text = style.strong(rule.object)
        if !rule.path.isEmpty { text += " \(rule.path)" }
        if let place = rule.place { text += " (\(place))" }
        return text
    }

    /// `shop/web (10.0.0.1:4311)`, `192.0.2.7:53 (world)`, `[fd00::1]:80`.
    private func end(_ end: FlowVerdict.End) -> String {
        var address = end.address
        if let port = end.port {
            address = IPAddress(parsing: address)?.with(port: port) ?? "\(address):\(port)"
        }
        if let pod = end.pod { return "\(style.strong(pod)) (\(address))" }
        return end.identity.map { "\(address) (\($0))" } ?? address
    }
}
