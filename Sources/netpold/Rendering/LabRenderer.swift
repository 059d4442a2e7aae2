import LabKit
import Support

/// Writes a lab's plan and result for people.
struct LabRenderer: Sendable {
    /// How many differences are written out.
    static let differenceLimit = 20
    /// How wide tables are at most.
    static let width = 80

    /// Colours for a terminal, or none.
    let style: TextStyle

    /// What the lab consists of, and what of the manifests is left out.
    func plan(_ plan: LabPlan) -> String {
        let parts =
            "\(plan.pods.count) pods, \(plan.nodes.count == 1 ? "the node" : "\(plan.nodes.count) nodes"), "
            + "\(plan.outside.count) addresses outside; "
            + "\(Quantity.grouped(plan.flows.count)) probes:"
        let traffic = LabTraffic.list(plan.traffic)
        var lines =
            parts.count + traffic.count < LabRenderer.width
            ? ["\(parts) \(traffic)"] : [parts] + wrapped(traffic, indent: 2)
        if !plan.serviceFlows.isEmpty {
            lines.append(
                "\(plan.frontends.count) addresses of Services; \(Quantity.grouped(plan.serviceFlows.count)) probes")
        }
        if !plan.requestFlows.isEmpty {
            lines.append(
                "\(Quantity.grouped(plan.requestFlows.count)) requests, queries, handshakes and connections by name")
        }
        lines += plan.notes.flatMap { wrapped("note: \($0)", indent: 0).map(style.faint) }
        return lines.joined(separator: "\n")
    }

    /// The grids, the differences, and the verdict as the last line.
    func result(_ result: LabResult) -> String {
        let matrix = LabMatrix(result)
        var lines = [legend(matrix, result), ""]
        for group in matrix.groups.indices { lines += grid(group, matrix, result.plan) + [""] }
        lines += services(result) + requests(result)
        // What was found comes last: the last empty line is before it.
        lines.removeLast()
        lines += differences(result) + serviceDifferences(result) + requestDifferences(result)
        lines.append("")
        lines.append(result.agrees ? style.good(result.verdict) : style.alarming(result.verdict))
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
        let width = min(max(names.map(\.count).max() ?? 0, 8), LabRenderer.width / 2)
        let heading = number == 0 ? "" : ", as the first but for:"
        var lines = wrapped(LabTraffic.list(group.traffic) + heading, indent: 0).map(style.strong)
        for columns in blocks(of: names.count, beside: width + 6) {
            let numbers = columns.map { pad("\($0 + 1)", 3, left: true) }.joined()
            lines.append(style.faint(pad("  from \\ to", width + 6) + numbers))
            for row in matrix.rows(of: number) {
                let cells = group.cells[row][columns]
                let last = cells.lastIndex { $0 != .none } ?? columns.lowerBound
                let name = "  \(pad("\(row + 1)", 2, left: true)) \(pad(cut(names[row], width), width)) "
                lines.append(name + cells[...last].map(symbol).joined())
            }
        }
        return lines
    }

    /// So many columns of three characters as fit beside the rows' names; the others below, again with names.
    private func blocks(of count: Int, beside width: Int) -> [Range<Int>] {
        let fitting = max(4, (LabRenderer.width - width) / 3)
        return stride(from: 0, to: count, by: fitting).map { $0..<min($0 + fitting, count) }
    }

    /// A text in lines, cut at blanks.
    private func wrapped(_ text: String, indent: Int) -> [String] {
        let space = String(repeating: " ", count: indent)
        return text.split(separator: " ").reduce(into: [String]()) { lines, word in
            if let last = lines.last, last.count + 1 + word.count <= LabRenderer.width {
                lines[lines.count - 1] = "\(last) \(word)"
            } else {
                lines.append(space + word)
            }
        }
    }

    private func cut(_ text: String, _ width: Int) -> String {
        text.count <= width ? text : text.prefix(width - 1) + "…"
    }

    private func symbol(_ cell: LabMatrix.Cell) -> String {
        switch cell {
        case .none: "   "
        case .passed: "  " + style.good("✓")
        case .dropped: "  " + style.faintlyBad("·")
        case .onlyFamily(let family): "  " + style.notable("\(family)")
        case .byRequest: "  " + style.notable("?")
        case .different: "  " + style.alarming("!")
        }
    }

    /// Rows are asked, columns ask: pods by the numbers they have as rows of the first grid.
    private func services(_ result: LabResult) -> [String] {
        let plan = result.plan
        guard !plan.serviceFlows.isEmpty else { return [] }
        var cells: [[String]] = Array(
            repeating: Array(repeating: "   ", count: plan.pods.count), count: plan.frontends.count)
        for (flow, measurement) in zip(plan.serviceFlows, result.serviceMeasurements) {
            cells[flow.to][flow.from] = symbol(flow.prediction, measurement)
        }
        let names = plan.frontends.map { frontend in
            // Where nodes have other endpoints, or none.
            let isShared = frontend.nodes.count == plan.nodes.count
            let nodes = frontend.nodes.map { plan.nodes[$0].name }.joined(separator: ", ")
            return "\(frontend.name) \(frontend.traffic)" + (isShared ? "" : " (\(nodes))")
        }
        let width = min(names.map(\.count).max() ?? 0, LabRenderer.width - 20)
        var lines = [style.strong("Services")]
        for columns in blocks(of: plan.pods.count, beside: width + 3) {
            let numbers = columns.map { pad("\($0 + 1)", 3, left: true) }.joined()
            lines.append(style.faint(pad("  to \\ from", width + 3) + numbers))
            for (name, row) in zip(names, cells) {
                lines.append("  \(pad(cut(name, width), width)) \(row[columns].joined())")
            }
        }
        return lines + [""]
    }

    private func symbol(_ prediction: LabServicePrediction, _ measurement: LabMeasurement) -> String {
        guard measurement.agrees(with: prediction) else { return "  " + style.alarming("!") }
        switch prediction.verdict {
        case .allow: return "  " + style.good("✓")
        case .deny: return "  " + style.faintlyBad("·")
        case .l7: return "  " + style.notable("?")
        case .mixed: return "  " + style.notable("~")
        case .rejected: return "  " + style.notable("r")
        }
    }

    private func serviceDifferences(_ result: LabResult) -> [String] {
        let all = result.serviceDifferences
        guard !all.isEmpty else { return [] }
        var lines = ["", style.strong("Differences through Services")]
        for index in all.prefix(LabRenderer.differenceLimit) {
            let flow = result.plan.serviceFlows[index]
            let frontend = result.plan.frontends[flow.to]
            lines.append(
                "  \(result.plan.pods[flow.from].qualifiedName) -> \(frontend.name) \(frontend.traffic): predicted "
                    + "\(flow.prediction.summary), measured \(result.serviceMeasurements[index].summary)")
            lines += result.plan.explain(flow).map { "      " + style.faint($0) }
        }
        if all.count > LabRenderer.differenceLimit {
            lines.append("  and \(all.count - LabRenderer.differenceLimit) more (--json lists all)")
        }
        return lines
    }

    private func legend(_ matrix: LabMatrix, _ result: LabResult) -> String {
        let plan = result.plan
        let cells = Set(matrix.groups.flatMap { $0.cells.flatMap(\.self) })
        var parts = ["\(style.good("✓")) answered", "\(style.faintlyBad("·")) dropped"]
        for family in [4, 6] where cells.contains(.onlyFamily(family)) {
            parts.append("\(style.notable("\(family)")) answered over IPv\(family) only")
        }
        if !plan.requestFlows.isEmpty {
            parts.append("\(style.notable("?")) what is said decides")
            parts.append("\(style.notable("d")) denied: 403, REFUSED or reset")
        }
        if !plan.serviceFlows.isEmpty {
            parts.append("\(style.notable("~")) answered at some endpoints")
            parts.append("\(style.notable("r")) refused, without endpoints")
        }
        if !result.agrees {
            parts.append("\(style.alarming("!")) other than predicted")
        }
        // As many on a line as fit.
        return parts.reduce(into: [(text: String, width: Int)]()) { lines, part in
            let width = part.filter { $0 != "\u{1b}" }.count
            if let last = lines.last, last.width + 3 + width <= 80 {
                lines[lines.count - 1] = (last.text + "   " + part, last.width + 3 + width)
            } else {
                lines.append((part, width))
            }
        }.map(\.text).joined(separator: "\n")
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

    func pad(_ text: String, _ width: Int, left: Bool = false) -> String {
        let space = String(repeating: " ", count: max(0, width - text.count))
        return left ? space + text : text + space
    }
}
