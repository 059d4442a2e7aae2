import BenchKit
import Support

/// The result of `netpold bench` as text.
enum PacketBenchTable {
    static func render(_ report: PacketBenchReport) -> String {
        var lines = ["nanoseconds a packet; empty, parse: the same packets through programs that do no more than that"]
        for policies in PacketBenchCase.Policies.allCases {
            var table = TextTable([
                .init("\(policies)", minimumWidth: 50), .init("empty", .right), .init("parse", .right),
                .init("min", .right), .init("median", .right), .init("min/parse", .right), .init("above parse", .right),
                .init("at most", .right), .init(),
            ])
            for result in report.results where result.bench.policies == policies {
                table.add([
                    "  \(result.bench.name)", "\(result.minimum(\.empty))", "\(result.minimum(\.parse))",
                    "\(result.minimum(\.cost))", "\(result.median(\.cost))",
                    Quantity.fixed(result.multiple, places: 2), "\(result.aboveParse)", "\(result.bench.limit)",
                    result.isMet ? "met" : "MISSED",
                ])
            }
            lines += [""] + table.lines()
        }
        lines += [""] + report.skipped.map { "skipped: \($0)" }
        return lines.joined(separator: "\n")
    }
}
