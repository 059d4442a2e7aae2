import BenchKit

/// The result of `netpold bench` as text.
enum PacketBenchTable {
    static func render(_ report: PacketBenchReport, cases: [PacketBenchCase]) -> String {
        var lines = ["nanoseconds a packet                                      hot  spread"]
        let names = ["empty program", "parse", "parse + LRU hit, same key"]
        for (name, reference) in zip(names, PacketBenchReport.references) {
            guard let cost = report.references[reference] else { continue }
            lines.append(row("reference: " + name, cost))
        }
        for one in cases {
            guard let cost = report.costs[one] else { continue }
            lines.append(row("\(one)", cost))
        }
        lines.append("")
        lines.append("hot: one sender. spread: 64k flows or every sender; the frame is rewritten before each packet.")
        lines.append("Each new packet inserts a conntrack entry.")
        lines.append("")
        for target in report.targets(cases) {
            lines.append(
                pad(target.name, 64) + fixed(target.ratio)
                    + "  at most \(fixed(target.limit))  \(target.ratio <= target.limit ? "met" : "MISSED")")
        }
        return lines.joined(separator: "\n")
    }

    private static func row(_ name: String, _ cost: PacketBench.Cost) -> String {
        pad(name, 54) + right(cost.hot, 7) + right(cost.spread, 8)
    }

    private static func fixed(_ value: Double) -> String {
        let hundredths = Int((value * 100).rounded())
        let part = hundredths % 100
        return "\(hundredths / 100).\(part < 10 ? "0" : "")\(part)"
    }

    private static func right(_ value: Int, _ width: Int) -> String {
        let text = "\(value)"
        return String(repeating: " ", count: max(width - text.count, 0)) + text
    }

    private static func pad(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(width - text.count, 0))
    }
}
