import BenchKit
import Support

/// The result of `netpold bench-changes` as text.
enum ChangeBenchTable {
    static func render(_ samples: [ChangeSample]) -> String {
        var table = TextTable([
            .init(minimumWidth: 40), .init("", .right, minimumWidth: 9), .init("", .right, minimumWidth: 9),
            .init("", .right, minimumWidth: 9), .init(minimumWidth: 2), .init(),
        ])
        table.add(["one policy edited, ms", "median", "p99", "max", "", "target"])
        func row(_ name: String, _ part: (ChangeSample) -> Duration, target: Double? = nil) {
            let times = samples.map { part($0) / .milliseconds(1) }
            let p99 = times.quantile(0.99) ?? 0
            let judged = target.map { "p99 <= \(Quantity.fixed($0, places: 0)) ms\(p99 <= $0 ? "" : "  MISSED")" }
            table.add(
                [name] + [times.quantile(0.5) ?? 0, p99, times.max() ?? 0].map { Quantity.fixed($0, places: 2) }
                    + ["", judged ?? ""])
        }
        row("event to in force", \.inForce, target: 25)
        row("  debounce", \.debounce)
        row("  compile", \.compile, target: 2)
        row("  plan", \.plan)
        row("  load programs", \.load)
        row("  swap", \.swap)
        row("  grace period", \.grace)
        row("  raise revisions", \.revisions)
        row("CPU time of the agent", \.processorTime)
        return table.lines().joined(separator: "\n")
    }
}
