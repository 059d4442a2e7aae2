import BenchKit
import Foundation

/// The result of `bench-net` as text.
enum BenchNetTable {
    /// Ratios to the round's run without policy: median, and the range of the middle half of the rounds.
    static func render(_ report: NetBenchReport) -> String {
        var lines = [
            "CPU time beside no policy in the same round, median of \(report.plain.count) rounds (middle half)", "",
        ]
        lines.append(pad("", 22) + LoadCost.columns.map { pad($0.name, 28) }.joined())
        lines.append(
            pad("no policy, ns", 22)
                + LoadCost.columns.map { pad(String(format: "%.0f", report.plain($0.value)), 28) }.joined())
        for name in NetBenchReport.order where report.contenders[name] != nil {
            let cells = LoadCost.columns.map { column in
                pad(
                    String(
                        format: "%.3f (%.3f-%.3f)", report.ratio(of: name, column.value),
                        report.ratio(of: name, column.value, quantile: 0.25),
                        report.ratio(of: name, column.value, quantile: 0.75)), 28)
            }
            lines.append(pad(name, 22) + cells.joined())
        }
        lines.append("")
        lines.append(
            "Target: netpold at most \(NetBenchReport.limit) beyond the control (\"\(NetBenchReport.control)\").")
        for column in LoadCost.columns {
            let beyond = report.netpoldBeyondControl(column.value)
            lines.append(
                pad("  \(column.name)", 30) + String(format: "%.3f  ", beyond)
                    + (beyond <= NetBenchReport.limit ? "met" : "MISSED"))
        }
        return lines.joined(separator: "\n")
    }

    private static func pad(_ text: String, _ width: Int) -> String {
        text.count >= width ? text : text + String(repeating: " ", count: width - text.count)
    }
}
