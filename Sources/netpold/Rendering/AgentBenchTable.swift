import BenchKit
import Support

/// The result of `bench-agent` as text.
enum AgentBenchTable {
    /// The lines: medians and the slowest, milliseconds.
    static func lines(_ report: AgentBench.Report) -> [String] {
        var table = TextTable([
            .init("", minimumWidth: 28), .init("quiet", .right), .init("slowest", .right),
            .init("monitor and flood", .right), .init("slowest", .right),
        ])
        table.add(["policy edit in force, ms"] + cells(report, \.edits))
        table.add(["status answered, ms"] + cells(report, \.statuses))
        let factor = factor(report)
        let status = slowestStatus(report)
        return table.lines() + [
            "",
            "\(Quantity.fixed(report.loaded.deniedRate, places: 0)) packets denied a second; the monitor was shown "
                + "\(Quantity.grouped(Int(report.loaded.shown))) verdicts and told of \(Quantity.grouped(Int(report.loaded.lost))) lost",
            "edit under load \(Quantity.fixed(factor, places: 2)) of a quiet one, goal <= "
                + "\(Quantity.fixed(AgentBench.editFactor, places: 0)): \(factor <= AgentBench.editFactor ? "met" : "MISSED")",
            "slowest status \(Quantity.fixed(status, places: 1)) ms, goal < "
                + "\(Quantity.fixed(AgentBench.statusLimit, places: 0)) ms: "
                + (status < AgentBench.statusLimit ? "met" : "MISSED"),
        ]
    }

    private static func cells(_ report: AgentBench.Report, _ times: KeyPath<AgentBench.Phase, [Double]>) -> [String] {
        [report.quiet, report.loaded].flatMap { phase in
            let sorted = phase[keyPath: times].sorted()
            return [sorted[safe: sorted.count / 2], sorted.last].map { $0.map { Quantity.fixed($0, places: 1) } ?? "-" }
        }
    }

    private static func factor(_ report: AgentBench.Report) -> Double {
        let medians = [report.quiet, report.loaded].compactMap { phase in
            phase.edits.sorted()[safe: phase.edits.count / 2]
        }
        return medians.count == 2 ? medians[1] / medians[0] : .infinity
    }

    private static func slowestStatus(_ report: AgentBench.Report) -> Double {
        report.loaded.statuses.max() ?? .infinity
    }
}

extension [Double] {
    fileprivate subscript(safe index: Int) -> Double? { indices.contains(index) ? self[index] : nil }
}
