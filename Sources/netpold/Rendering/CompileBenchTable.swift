import BenchKit

/// The result of `netpold bench-compile` as text, line by line: the whole takes a while.
enum CompileBenchTable {
    static let heading = "CPU time                                                          median      target"

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
            let tenths = Int((time * 10).rounded())
            let value = "\(tenths / 10).\(tenths % 10) \(symbol)"
            let target =
                measurement.target.map { "<= \($0) \(symbol)\(time <= Double($0) ? "" : "  MISSED")" } ?? ""
            return measurement.name + String(repeating: " ", count: max(1, 60 - measurement.name.count))
                + String(repeating: " ", count: max(1, 11 - value.count)) + value + "      " + target
        }
    }
}
