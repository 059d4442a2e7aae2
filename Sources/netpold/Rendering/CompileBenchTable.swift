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

    private static func line(_ name: String, _ median: String, _ target: String) -> String {
        var table = TextTable([
            .init(minimumWidth: 60), .init("", .right, minimumWidth: 9), .init(minimumWidth: 2), .init(),
        ])
        table.add([name, median, "", target])
        return table.lines().joined()
    }
}
