import LabKit
import Support

/// Writes a lab's plan and result for people.
struct LabRenderer: Sendable {
    /// How many differences are written out.
    static let differenceLimit = 20

    /// Colours for a terminal, or none.
    let style: TextStyle

    /// What the lab consists of, and what of the manifests is left out.
    func plan(_ plan: LabPlan) -> String {
        var lines = [
            "\(plan.pods.count) pods, the node, \(plan.outside.count) addresses outside; "
                + "\(Quantity.grouped(plan.flows.count)) probes: \(LabTraffic.list(plan.traffic))"
        ]
        lines += plan.notes.map { style.faint("note: \($0)") }
        return lines.joined(separator: "\n")
    }

    /// The grids, the differences, and the verdict as the last line.
    func result(_ result: LabResult) -> String {
        let matrix = LabMatrix(result)
        var lines: [String] = []
        for group in matrix.groups.indices { lines += grid(group, matrix, result.plan) + [""] }
        lines.append(legend(matrix))
        lines += differences(result)
        lines.append("")
        lines.append(result.differences.isEmpty ? style.good(result.verdict) : style.alarming(result.verdict))
        return lines.joined(separator: "\n")
    }

    /// The first grid whole, of the others the rows that differ from it.
    private func grid(_ number: Int, _ matrix: LabMatrix, _ plan: LabPlan) -> [String] {
        let group = matrix.groups[number]
        let names = plan.ends.map { end in
            if case .outside(let index) = end {
                return "\(plan.outside[index].address) (\(plan.outside[index].label))"
            }
            return plan.name(of: end)
        }
        let width = max(names.map(\.count).max() ?? 0, 8)
        let heading =
            style.strong(LabTraffic.list(group.traffic)) + (number == 0 ? "" : ", as the first but for:")
        let numbers = names.indices.map { pad("\($0 + 1)", 3, left: true) }.joined()
        var lines = [heading, style.faint(pad("  from \\ to", width + 6) + numbers)]
        for row in matrix.rows(of: number) {
            let last = group.cells[row].lastIndex { $0 != .none } ?? 0
            let name = "  \(pad("\(row + 1)", 2, left: true)) \(pad(names[row], width)) "
            lines.append(name + group.cells[row].prefix(last + 1).map(symbol).joined())
        }
        return lines
    }

    private func symbol(_ cell: LabMatrix.Cell) -> String {
        switch cell {
        case .none: "   "
        case .passed: "  " + style.good("✓")
        case .dropped: "  " + style.faintlyBad("·")
        case .onlyFamily(let family): "  " + style.notable("\(family)")
        case .different: "  " + style.alarming("!")
        }
    }

    private func legend(_ matrix: LabMatrix) -> String {
        let cells = Set(matrix.groups.flatMap { $0.cells.flatMap(\.self) })
        var parts = ["\(style.good("✓")) answered", "\(style.faintlyBad("·")) dropped"]
        for family in [4, 6] where cells.contains(.onlyFamily(family)) {
            parts.append("\(style.notable("\(family)")) answered over IPv\(family) only")
        }
        if cells.contains(.different) {
            parts.append("\(style.alarming("!")) other than predicted")
        }
        return parts.joined(separator: "   ")
    }

    private func differences(_ result: LabResult) -> [String] {
        let all = result.differences
        guard !all.isEmpty else { return [] }
        var lines = ["", style.strong("Differences")]
        for index in all.prefix(LabRenderer.differenceLimit) {
            let flow = result.plan.flows[index]
            let ends = "\(result.plan.name(of: flow.from)) -> \(result.plan.name(of: flow.to))"
            lines.append(
                "  \(ends) \(flow.traffic) over IPv\(flow.family): predicted \(flow.prediction.summary), "
                    + "measured \(result.measurements[index].summary)")
            lines += result.plan.explain(flow).map { "      " + style.faint($0) }
        }
        if all.count > LabRenderer.differenceLimit {
            lines.append("  and \(all.count - LabRenderer.differenceLimit) more (--json lists all)")
        }
        return lines
    }

    private func pad(_ text: String, _ width: Int, left: Bool = false) -> String {
        let space = String(repeating: " ", count: max(0, width - text.count))
        return left ? space + text : text + space
    }
}
