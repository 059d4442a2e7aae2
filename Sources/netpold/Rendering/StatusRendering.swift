import Agent
import BPFEmit
import Support

/// Writes `netpold status` for people.
struct StatusRendering: Sendable {
    private let style: TextStyle
    private let isWide: Bool

    /// A rendering; `isWide`: with every table of the kernel, which fills a screen.
    init(style: TextStyle, isWide: Bool = false) {
        self.style = style
        self.isWide = isWide
    }

    /// The page.
    func lines(_ status: StatusReport) -> [String] {
        let inForce =
            status.isInForce
            ? style.good(status.policiesRefused == 0 ? "everything read is in force" : "what could be read is in force")
            : style.notable("changes pending")
        var lines = [
            health(status.health),
            "agent        \(style.good("up")), instance \(status.instance), process \(status.processID), "
                + "since \(Quantity.duration(seconds: status.uptimeSeconds))",
            "applied      \(status.applyCount) time\(status.applyCount == 1 ? "" : "s"), \(inForce), "
                + "latest change took \(status.lastApplyMilliseconds) ms",
            "policies     \(status.policiesInForce) in force, "
                + counted(status.policiesRefused, "refused", style.bad),
            "endpoints    \(status.endpointsReady) ready, "
                + counted(status.endpointsWaiting, "waiting", style.notable) + ", "
                + counted(status.namespacesUnknown, "without a pod", style.notable),
        ]
        let attachments = status.attachments.sorted { $0.key < $1.key }.map { "\($0.key) (\($0.value))" }
        if !attachments.isEmpty { lines.append("attached by  \(attachments.joined(separator: ", "))") }
        if let services = status.services { lines.append("services     \(services.mode): \(services.reason)") }
        lines += fastPath(status.fastPath)
        lines += proxy(status.proxy)
        lines.append(
            "events       \(status.eventsSuppressed) not written by the kernel, \(status.eventsLost) not sent to slow readers"
        )
        lines += capacities(status.capacities) + reasons(status.reasons)
        let problems = self.problems(status)
        // At the end, where the eye is when the page has scrolled by: what is wrong is why somebody asks.
        return lines + (problems.isEmpty ? [] : [""] + problems)
    }

    private func problems(_ status: StatusReport) -> [String] {
        var lines: [String] = []
        let said = Set(status.conditions.map { Health.Problem(subject: $0.subject, message: $0.message) })
        for problem in status.health.problems where !said.contains(problem) {
            lines.append("\(style.bad("!")) \(style.strong(problem.subject)): \(problem.message)")
        }
        for condition in status.conditions {
            let colour = condition.isSevere ? style.bad : style.notable
            lines.append("\(colour("!")) \(style.strong(condition.subject)): \(condition.message)")
        }
        return lines
    }

    private func health(_ health: Health) -> String {
        let count = health.problems.count
        guard count > 0 else { return "health       \(style.good("everything is enforced as written"))" }
        let enforces = health.isReady ? "" : "; the node does not do all its work"
        return "health       "
            + style.bad("not everything is enforced as written: \(count) problem\(count == 1 ? "" : "s")\(enforces)")
    }

    /// Nothing where it is off and nobody has asked for it.
    private func fastPath(_ status: FastPathStatus?) -> [String] {
        guard let status, status.mode != FastPathMode.off.rawValue else { return [] }
        let who = status.isOn ? "on for \(status.pods) pods, \(status.flows) flows" : "off"
        return ["fast path    \(status.mode), \(who): \(status.reason)"]
            + status.leftOut.map { "             not \($0)" }
    }

    private func proxy(_ status: ProxyStatus?) -> [String] {
        guard let status else { return [] }
        var lines = ["proxy        up, process \(status.processID), \(status.connections) connections"]
        let kinds = [
            (status.refusedConnections, "connections refused"), (status.clientFaults, "clients' connections ended"),
            (status.serverFaults, "servers' answers ended"),
        ]
        for (counts, words) in kinds where !counts.isEmpty {
            let named = counts.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", ")
            lines.append("             " + style.notable("\(words): \(named)"))
        }
        return lines
    }

    private func counted(_ count: Int, _ word: String, _ colour: (String) -> String) -> String {
        count == 0 ? "0 \(word)" : colour("\(count) \(word)")
    }

    private func capacities(_ capacities: [CapacityUse]) -> [String] {
        guard !capacities.isEmpty else { return [] }
        let nearlyFull = capacities.filter(StatusRendering.isNearlyFull)
        let memory = Quantity.bytes(capacities.reduce(0) { $0 + ($1.memoryBytes ?? 0) })
        let summary =
            "tables       \(capacities.count), \(memory), "
            + counted(nearlyFull.count, "nearly full", style.bad) + (isWide ? "" : "; -o wide lists them")
        let shown = isWide ? capacities : nearlyFull
        guard !shown.isEmpty else { return [summary] }
        var table = TextTable(header: ["table", "used", "limit", "memory"])
        for use in shown {
            table.add([
                use.name, use.used.map { "\($0)" } ?? "-", "\(use.limit)",
                use.memoryBytes.map(Quantity.bytes) ?? "-",
            ])
        }
        return [summary, ""]
            + table.lines { cell, row, column in
                if row == 0 { return style.faint(cell) }
                return column == 1 && StatusRendering.isNearlyFull(shown[row - 1]) ? style.bad(cell) : cell
            }
    }

    private static func isNearlyFull(_ use: CapacityUse) -> Bool { (use.used ?? 0) * 10 >= use.limit * 9 }

    private func reasons(_ reasons: [StatusReport.ReasonCount]) -> [String] {
        guard !reasons.isEmpty else { return [] }
        var table = TextTable(header: ["packets", "bytes", "", "reason"])
        for reason in reasons {
            table.add([
                "\(reason.count.packets)", "\(reason.count.bytes)", reason.isDrop ? "dropped" : "passed",
                reason.sentence,
            ])
        }
        return [""]
            + table.lines { cell, row, column in
                if row == 0 { return style.faint(cell) }
                return column == 2 && reasons[row - 1].isDrop ? style.bad(cell) : cell
            }
    }
}
