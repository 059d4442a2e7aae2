import BenchKit
import Support

/// The result of `netpold bench` as text.
enum PacketBenchTable {
    static func render(_ report: PacketBenchReport, cases: [PacketBenchCase]) -> String {
        var costs = TextTable([
            .init("nanoseconds a packet", minimumWidth: 54), .init("hot", .right, minimumWidth: 5),
            .init("spread", .right, minimumWidth: 6),
        ])
        func add(_ name: String, _ cost: PacketBench.Cost?) {
            if let cost { costs.add([name, "\(cost.hot)", "\(cost.spread)"]) }
        }
        let names = ["empty program", "parse", "parse + LRU hit, same key"]
        for (name, reference) in zip(names, PacketBenchReport.references) {
            add("reference: \(name)", report.references[reference])
        }
        for one in cases { add("\(one)", report.costs[one]) }

        var targets = TextTable([.init(minimumWidth: 62), .init("", .right), .init(), .init()])
        for target in report.targets(cases) {
            targets.add([
                target.name, Quantity.fixed(target.ratio, places: 2),
                "at most \(Quantity.fixed(target.limit, places: 2))", target.ratio <= target.limit ? "met" : "MISSED",
            ])
        }
        let legend = [
            "", "hot: one sender. spread: 64k flows or every sender; the frame is rewritten before each packet.",
            "Each new packet inserts a conntrack entry.", "",
        ]
        return (costs.lines() + legend + targets.lines()).joined(separator: "\n")
    }
}
