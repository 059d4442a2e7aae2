import BenchKit
import Support

/// The result of `netpold bench-compile` as text, line by line: the whole takes a while.
enum CompileBenchTable {
    static var heading: String { line("CPU time", "median", "target") }

    static func line(_ finding: CompileBench.Finding) -> String {
        switch finding {
        case .note(let text): return "  \(text)"
        case .measurement(let measurement):
            let (unit, symbol): (Double, String) =
                switch measurement.unit {
                case .milliseconds: (1e6, "ms")
                case .microseconds: (1e3, "us")
                }
            let time = Double(measurement.nanoseconds) / unit
            let target = measurement.target.map { "<= \($0) \(symbol)\(time <= Double($0) ? "" : "  MISSED")" }
            return line(measurement.name, "\(Quantity.fixed(time, places: 1)) \(symbol)", target ?? "")
        }
    }

    /// The rows of a comparison.
    static func render(_ rows: [CompileComparison.Row]) -> String {
        var table = TextTable([
            .init("CPU time", minimumWidth: 60), .init("before", .right, minimumWidth: 11),
            .init("now", .right, minimumWidth: 11), .init("ratio", .right, minimumWidth: 7),
        ])
        for row in rows {
            table.add([row.name, text(row.before), text(row.now), Quantity.fixed(row.ratio, places: 2)])
        }
        return table.lines().joined(separator: "\n")
    }

    private static func text(_ nanoseconds: Double) -> String {
        nanoseconds < 1e6
            ? "\(Quantity.fixed(nanoseconds / 1e3, places: 1)) us"
            : "\(Quantity.fixed(nanoseconds / 1e6, places: 1)) ms"
    }

    private static func line(_ name: String, _ median: String, _ target: String) -> String {
        var table = TextTable([
            .init(minimumWidth: 60), .init("", .right, minimumWidth: 9), .init(minimumWidth: 2), .init(),
        ])
        table.add([name, median, "", target])
        return table.lines().joined()
    }
}
