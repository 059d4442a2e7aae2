import BenchKit
import Support

/// The result of `bench-l7` as text.
enum BenchL7Table {
    private static let columns: [(name: String, value: @Sendable (L7BenchReport.Cost) -> Double)] = [
        ("allowed", { $0.allowed }), ("denied", { $0.denied }),
    ]

    /// Microseconds and ratios: median, and the range of all rounds.
    static func render(_ report: L7BenchReport) -> String {
        var costs = TextTable(
            [.init(minimumWidth: 20)] + columns.map { .init("\($0.name), us", minimumWidth: 24) } + [
                .init("the kernel's part")
            ])
        for proxy in report.proxies {
            let kernel = [\L7BenchReport.Cost.allowedKernel, \.deniedKernel].map { part in
                Quantity.fixed(report.cost(of: proxy, { $0[keyPath: part] }, quantile: 0.5), places: 1)
            }
            costs.add(
                [proxy] + columns.map { spread { report.cost(of: proxy, $0, quantile: $1) }($0.value) }
                    + [kernel.joined(separator: ", ")])
        }
        var ratios = TextTable([.init(minimumWidth: 20)] + columns.map { .init($0.name, minimumWidth: 24) } + [.init()])
        for (proxy, limit, aim) in L7BenchReport.targets where report.costs[proxy] != nil {
            let medians = columns.map { report.ratio(to: proxy, $0.value, quantile: 0.5) }
            let isMet = medians.allSatisfy { $0 <= limit }
            ratios.add(
                ["beside \(proxy)"]
                    + columns.map { spread { report.ratio(to: proxy, $0, quantile: $1) }($0.value) }
                    + ["\(isMet ? "met" : "MISSED") (at most \(limit), aim \(aim))"])
        }
        let rounds = report.costs.values.map(\.count).max() ?? 0
        var lines =
            ["CPU a request, one core, 32 connections, 1 KB; median of \(rounds) rounds (lowest-highest)", ""]
            + costs.lines()
            + ["", "netpold beside the others in the same rounds", ""] + ratios.lines() + [""]
        for proxy in report.proxies {
            let bytes = report.residentBytes[proxy] ?? 0
            let target =
                proxy == "netpold" ? bytes < L7BenchReport.memoryTarget ? " met (below 64)" : " MISSED (below 64)" : ""
            lines.append("\(proxy): \(bytes >> 20) MiB at 1,000 connections\(target)")
        }
        if report.allocations.count == 2 {
            let isMet = report.allocations[0] <= L7BenchReport.allocationTarget
            lines.append(
                "netpold: \(Quantity.fixed(report.allocations[0], places: 2)) allocations an allowed request, "
                    + "\(Quantity.fixed(report.allocations[1], places: 2)) a denied one; \(isMet ? "met" : "MISSED") (at most 1)"
            )
        }
        return lines.joined(separator: "\n")
    }

    private static func spread(
        _ quantile: @escaping ((L7BenchReport.Cost) -> Double, Double) -> Double
    ) -> ((L7BenchReport.Cost) -> Double) -> String {
        { value in
            let texts = [0.5, 0.0, 1.0].map { Quantity.fixed(quantile(value, $0), places: 2) }
            return "\(texts[0]) (\(texts[1])-\(texts[2]))"
        }
    }
}
