import BenchKit
import Support

/// The result of `bench-names` as text.
enum BenchNamesTable {
    /// Latencies with and without policy, then each figure with its limit.
    static func render(_ report: NamesBenchReport) -> String {
        var latencies = TextTable([
            .init(minimumWidth: 16), .init("median us", .right), .init("99 of 100", .right), .init("answers", .right),
        ])
        for (name, rounds) in [("no policy", report.plain), ("DNS rules", report.enforced)] {
            latencies.add([
                name, Quantity.fixed(rounds.map(\.median).quantile(0.5) ?? 0, places: 1),
                Quantity.fixed(rounds.map(\.high).quantile(0.5) ?? 0, places: 1),
                "\(rounds.reduce(0) { $0 + $1.answers })",
            ])
        }
        var figures = TextTable([
            .init(minimumWidth: 30), .init("", .right), .init("middle half"), .init("at most", .right), .init(),
        ])
        for figure in report.figures {
            let places = figure.unit == "ns" ? 0 : 1
            func number(_ value: Double) -> String { Quantity.fixed(value, places: places) }
            figures.add([
                figure.name, "\(number(figure.median)) \(figure.unit)",
                "\(number(figure.range.lowerBound))-\(number(figure.range.upperBound))",
                "\(number(figure.limit)) \(figure.unit)", figure.isMet ? "met" : "MISSED",
            ])
        }
        let heading =
            "\(NamesBench.resolvers) resolvers, \(report.plain.count) rounds of each by turns, \(report.lost) queries without an answer"
        return ([heading, ""] + latencies.lines() + [""] + figures.lines()).joined(separator: "\n")
    }
}
