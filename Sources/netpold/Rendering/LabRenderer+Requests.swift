import LabKit
import Support

/// A lab's requests and names for people.
extension LabRenderer {
    /// The tables: what was asked as numbered lines, then who asked whom.
    func requests(_ result: LabResult) -> [String] { LabRequestTable.tables(of: result).flatMap(table) }

    private func table(_ table: LabRequestTable) -> [String] {
        var lines = [style.strong(table.title)]
        lines += table.columns.enumerated().map { style.faint("  \(pad("\($0 + 1)", 2, left: true)) \($1)") }
        let width = min(table.rows.map(\.count).max() ?? 0, Self.width - 20)
        // So many columns as fit beside the rows' names; the others below, again with names.
        let fitting = max(4, (Self.width - width - 3) / 3)
        for start in stride(from: 0, to: table.columns.count, by: fitting) {
            let columns = start..<min(start + fitting, table.columns.count)
            let numbers = columns.map { pad("\($0 + 1)", 3, left: true) }.joined()
            lines.append(style.faint(pad("  from -> to", width + 3) + numbers))
            for (name, cells) in zip(table.rows, table.cells) where cells[columns].contains(where: { $0 != .none }) {
                lines.append("  \(pad(name, width)) \(cells[columns].map(symbol).joined())")
            }
        }
        return lines + [""]
    }

    private func symbol(_ cell: LabRequestTable.Cell) -> String {
        switch cell {
        case .none: "   "
        case .all(.answered): "  " + style.good("✓")
        case .all(.denied): "  " + style.notable("d")
        case .all(.dropped): "  " + style.faintlyBad("·")
        case .byFamily: "  " + style.notable("~")
        case .different: "  " + style.alarming("!")
        }
    }

    /// What is written out where requests differ from what was predicted.
    func requestDifferences(_ result: LabResult) -> [String] {
        let all = result.requestDifferences
        guard !all.isEmpty else { return [] }
        var lines = ["", style.strong("Differences of requests and names")]
        for index in all.prefix(LabRenderer.differenceLimit) {
            let flow = result.plan.requestFlows[index]
            lines.append(
                "  \(result.plan.name(of: flow.from)) -> \(result.plan.name(of: flow.to)) \(flow.traffic) over "
                    + "IPv\(flow.family), \(flow.attempt.summary): predicted \(flow.prediction.rawValue), measured "
                    + result.requestMeasurements[index].summary)
            lines += result.plan.explain(flow).map { "      " + style.faint($0) }
        }
        if all.count > LabRenderer.differenceLimit {
            lines.append("  and \(all.count - LabRenderer.differenceLimit) more (--json lists all)")
        }
        return lines
    }
}
