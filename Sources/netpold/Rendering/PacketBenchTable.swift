import BenchKit
import Support

/// The result of `netpold bench` as text.
enum PacketBenchTable {
    static func render(_ report: PacketBenchReport) -> String {
        var lines = [
            "nanoseconds a packet; empty, parse: the same packets through programs that do no more than that; straight: as many",
            "established flows past no Service",
        ]
        for policies in PacketBenchCase.Policies.allCases {
            for reference in PacketBenchCase.Reference.allCases {
                let results = report.results.filter {
                    $0.bench.policies == policies && $0.bench.reference == reference
                }
                if !results.isEmpty { lines += [""] + table(results, policies, reference).lines() }
            }
        }
        lines += [""] + report.skipped.map { "skipped: \($0)" }
        return lines.joined(separator: "\n")
    }

    private static func table(
        _ results: [PacketBenchReport.Result], _ policies: PacketBenchCase.Policies,
        _ reference: PacketBenchCase.Reference
    ) -> TextTable {
        var table = TextTable([
            .init("\(policies)", minimumWidth: 50), .init("empty", .right), .init("\(reference)", .right),
            .init("min", .right), .init("median", .right), .init("min/\(reference)", .right),
            .init("above \(reference)", .right), .init("at most", .right), .init(),
        ])
        for result in results {
            table.add([
                "  \(result.bench.name)", "\(result.minimum(\.empty))", "\(result.minimum(\.reference))",
                "\(result.minimum(\.cost))", "\(result.median(\.cost))", Quantity.fixed(result.multiple, places: 2),
                "\(result.aboveReference)", "\(result.bench.limit)", result.isMet ? "met" : "MISSED",
            ])
        }
        return table
    }
}
