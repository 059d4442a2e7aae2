import BenchKit
import Support

/// The result of `netpold bench-cores` as text.
enum CoresBenchTable {
    static func render(_ report: CoresBenchReport) -> String {
        var lines = [
            "nanoseconds a packet, median: on one CPU while the other does nothing, and on both at once; beside parsing: what it is",
            "slower by at once than the parser alone, which shares nothing",
        ]
        for policies in PacketBenchCase.Policies.allCases {
            var table = TextTable([
                .init("\(policies)", minimumWidth: 40), .init("parse", .right), .init("at once", .right),
                .init("alone", .right), .init("at once", .right), .init("beside parsing", .right),
                .init("at most", .right), .init(),
            ])
            for result in report.results where result.bench.policies == policies {
                table.add([
                    "  \(result.bench.name)", "\(result.median(\.reference.alone))",
                    "\(result.median(\.reference.together))", "\(result.median(\.cost.alone))",
                    "\(result.median(\.cost.together))", Quantity.fixed(result.contention, places: 2),
                    Quantity.fixed(result.limit, places: 2), result.isMet ? "met" : "MISSED",
                ])
            }
            lines += [""] + table.lines()
        }
        return lines.joined(separator: "\n")
    }
}
