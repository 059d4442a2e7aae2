import Foundation

/// The result of `bench-net` as text.
enum BenchNetTable {
    /// Ratios to the round's run without policy: median, and the range of the middle half of the rounds.
    static func render(plain: [LoadResult], ratios: [String: [[Double]]]) -> String {
        let names = ["no policy again", "netpold", "nftables + conntrack"].filter { ratios[$0] != nil }
        var lines = ["CPU time beside no policy in the same round, median of \(plain.count) rounds (middle half)", ""]
        lines.append(pad("", 22) + LoadResult.columns.map { pad($0.name, 28) }.joined())
        lines.append(
            pad("no policy, ns", 22)
                + LoadResult.columns.map { column in
                    pad(String(format: "%.0f", quantile(plain.map { $0[keyPath: column.value] }, 0.5)), 28)
                }.joined())
        for name in names {
            let rounds = ratios[name] ?? []
            let cells = LoadResult.columns.indices.map { index in
                let values = rounds.map { $0[index] }
                return pad(
                    String(
                        format: "%.3f (%.3f-%.3f)", quantile(values, 0.5), quantile(values, 0.25),
                        quantile(values, 0.75)), 28)
            }
            lines.append(pad(name, 22) + cells.joined())
        }
        lines.append("")
        lines.append("Target: netpold at most 1.05 beyond the control (\"no policy again\").")
        let control = ratios["no policy again"] ?? []
        let netpold = ratios["netpold"] ?? []
        for (index, column) in LoadResult.columns.enumerated() {
            let beyond =
                quantile(netpold.map { $0[index] }, 0.5) / max(quantile(control.map { $0[index] }, 0.5), 0.001)
            lines.append(
                pad("  \(column.name)", 30) + String(format: "%.3f  ", beyond) + (beyond <= 1.05 ? "met" : "MISSED"))
        }
        return lines.joined(separator: "\n")
    }

    private static func pad(_ text: String, _ width: Int) -> String {
        text.count >= width ? text : text + String(repeating: " ", count: width - text.count)
    }

    private static func quantile(_ values: [Double], _ part: Double) -> Double {
        let sorted = values.sorted()
        guard !sorted.isEmpty else { return 0 }
        return sorted[min(sorted.count - 1, Int(part * Double(sorted.count)))]
    }
}
