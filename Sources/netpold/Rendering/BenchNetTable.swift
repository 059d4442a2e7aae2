import BenchKit
import Support

/// The result of `bench-net` as text.
enum BenchNetTable {
    /// Ratios to the round's run without policy: median, and the range of the middle half of the rounds.
    static func render(_ report: NetBenchReport) -> String {
        var costs = TextTable(
            [.init()] + LoadCost.columns.map { .init($0.name, minimumWidth: 20) })
        costs.add(["no policy, ns"] + LoadCost.columns.map { Quantity.fixed(report.plain($0.value), places: 0) })
        for name in NetBenchReport.order where report.contenders[name] != nil {
            costs.add(
                [name]
                    + LoadCost.columns.map { column in
                        let ratios = [0.5, 0.25, 0.75].map {
                            Quantity.fixed(report.ratio(of: name, column.value, quantile: $0), places: 3)
                        }
                        return "\(ratios[0]) (\(ratios[1])-\(ratios[2]))"
                    })
        }
        var targets = TextTable([.init()] + LoadCost.columns.map { .init($0.name) } + [.init("at most", .right)])
        for target in NetBenchReport.targets {
            let cells = LoadCost.columns.map { column in
                let cost = report.cost(of: target.name, beyond: target.control, column.value)
                return "\(Quantity.fixed(cost, places: 3)) \(cost <= target.limit ? "met" : "MISSED")"
            }
            targets.add([target.name] + cells + [Quantity.fixed(target.limit, places: 2)])
        }
        let heading = [
            "CPU time beside no policy in the same round, median of \(report.plain.count) rounds (middle half)", "",
        ]
        let target = [
            "", "Targets: beyond the control (\"no policy again\") of the same node.",
        ]
        return (heading + costs.lines() + target + targets.lines(indent: 2)).joined(separator: "\n")
    }
}
