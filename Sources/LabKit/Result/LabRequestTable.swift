/// Requests of one kind as a grid: who asked whom, and what.
public struct LabRequestTable: Hashable, Sendable {
    /// What a cell shows, over both families.
    public enum Cell: Hashable, Sendable {
        /// Nothing was tried.
        case none
        /// All went as predicted, which is this.
        case all(LabRequestPrediction)
        /// As predicted, which differs between the families.
        case byFamily
        /// At least one went otherwise than predicted.
        case different
    }

    /// What the table is about.
    public var title: String
    /// What was asked.
    public var columns: [String]
    /// Who asked whom.
    public var rows: [String]
    /// By row and column.
    public var cells: [[Cell]]

    /// The tables of a result: HTTP, DNS, TLS, connections by name, each where there is anything.
    public static func tables(of result: LabResult) -> [LabRequestTable] {
        let titles = [
            ("http", "HTTP requests"), ("dns", "DNS queries"), ("sni", "TLS server names"),
            ("names", "Connections by name"),
        ]
        return titles.compactMap { kind, title in
            let entries = zip(result.plan.requestFlows, result.requestMeasurements).compactMap { flow, measurement in
                entry(flow, measurement, result.plan, kind)
            }
            return entries.isEmpty ? nil : LabRequestTable(title: title, entries)
        }
    }

    private struct Entry {
        var row: String
        var column: String
        var prediction: LabRequestPrediction
        var agrees: Bool
    }

    private init(title: String, _ entries: [Entry]) {
        self.title = title
        var found: [String: [String: [Entry]]] = [:]
        rows = []
        columns = []
        for entry in entries {
            if found[entry.row] == nil { rows.append(entry.row) }
            if !columns.contains(entry.column) { columns.append(entry.column) }
            found[entry.row, default: [:]][entry.column, default: []].append(entry)
        }
        cells = []
        for row in rows { cells.append(columns.map { LabRequestTable.cell(found[row]?[$0] ?? []) }) }
    }

    private static func cell(_ entries: [Entry]) -> Cell {
        guard let first = entries.first else { return .none }
        if entries.contains(where: { !$0.agrees }) { return .different }
        return entries.allSatisfy { $0.prediction == first.prediction } ? .all(first.prediction) : .byFamily
    }

    private static func entry(
        _ flow: LabRequestFlow, _ measurement: LabMeasurement, _ plan: LabPlan, _ kind: String
    ) -> Entry? {
        var to = plan.name(of: flow.to)
        // One row for a Service's addresses of both families.
        if case .frontend(let index) = flow.to {
            to = "\(plan.frontends[index].frontend.service) \(plan.frontends[index].frontend.kind.rawValue)"
        }
        var traffic = flow.traffic
        let column: String
        switch flow.attempt {
        case .request(.http(let request)):
            guard kind == "http" else { return nil }
            let headers = request.headers.map { ", \($0.name): \($0.value)" }.joined()
            column = "\(request.method) \(request.path)\(headers)"
        case .request(.dns(let name)):
            guard kind == "dns" else { return nil }
            column = name
        case .request(.serverName(let name)):
            guard kind == "sni" else { return nil }
            column = name.isEmpty ? "(no name)" : name
        case .connect:
            guard kind == "names" else { return nil }
            column = "without having asked for the name"
        case .lookUp(let name, let then):
            guard kind == "names" else { return nil }
            (to, traffic) = (name, then)
            column = "at once after the answer"
        }
        return Entry(
            row: "\(plan.name(of: flow.from)) -> \(to) \(traffic)", column: column, prediction: flow.prediction,
            agrees: measurement.agrees(with: flow.prediction))
    }
}
