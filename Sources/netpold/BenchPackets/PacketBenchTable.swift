import Datapath

/// The result of `netpold bench` as text.
enum PacketBenchTable {
    /// A target and how far it was met.
    struct Target {
        var name: String
        var ratio: Double
        var limit: Double
    }

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
        for target in targets(report, cases: cases) {
            lines.append(
                pad(target.name, 64) + fixed(target.ratio)
                    + "  at most \(fixed(target.limit))  \(target.ratio <= target.limit ? "met" : "MISSED")")
        }
        return lines.joined(separator: "\n")
    }

    /// Established packets against the lookup of the same flows: of each case the median of its rounds, of these the worst.
    /// New packets: the lowest of all rounds, the worst pair.
    static func targets(_ report: PacketBenchReport, cases: [PacketBenchCase]) -> [Target] {
        var targets: [Target] = []
        for (spread, value) in [("hot", \PacketBench.Cost.hot), ("spread", \PacketBench.Cost.spread)] {
            let medians = report.established.values.compactMap { rounds in
                median(rounds.map { spread == "hot" ? $0.hot : $0.spread })
            }
            if let worst = medians.max() {
                targets.append(
                    Target(name: "established against parse + LRU hit, \(spread)", ratio: worst, limit: 1.25))
            }
            let new = cases.filter { $0.kind == .new && !$0.hasReader }
            func cost(_ rules: Int, _ identities: Int) -> Int? {
                new.first { $0.rules == rules && $0.identities == identities }
                    .flatMap { report.costs[$0]?[keyPath: value] }
            }
            let byRules = [100, 10_000, 100_000].compactMap { identities in
                pair(cost(1000, identities), cost(1, identities))
            }
            if let worst = byRules.max() {
                targets.append(Target(name: "new, 1,000 rules against 1, \(spread)", ratio: worst, limit: 1.3))
            }
            let byIdentities = [1, 100, 1000].compactMap { rules in pair(cost(rules, 100_000), cost(rules, 100)) }
            if let worst = byIdentities.max() {
                targets.append(Target(name: "new, 100,000 identities against 100, \(spread)", ratio: worst, limit: 1.5))
            }
        }
        return targets
    }

    private static func median(_ values: [Double]) -> Double? {
        values.isEmpty ? nil : values.sorted()[values.count / 2]
    }

    private static func pair(_ upper: Int?, _ lower: Int?) -> Double? {
        guard let upper, let lower else { return nil }
        return ratio(upper, lower)
    }

    private static func ratio(_ upper: Int, _ lower: Int) -> Double { Double(upper) / Double(max(lower, 1)) }

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
