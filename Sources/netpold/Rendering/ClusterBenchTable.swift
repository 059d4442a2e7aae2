import BenchKit
import Support

/// The result of `netpold bench-cluster` as text.
struct ClusterBenchTable {
    /// The lines.
    private(set) var text = ""
    /// Whether all goals are met.
    private(set) var isMet = true

    /// The table of a report.
    init(_ report: ClusterReport) {
        for series in [report.policies, report.everywhere] {
            text += changes(series, [("in force", \.untilInForce, ClusterReport.policyLimit)]) + "\n\n"
        }
        for series in [report.known, report.new] {
            text +=
                changes(
                    series, [("usable", \.untilUsable, ClusterReport.podLimit), ("in force", \.untilInForce, nil)])
                + "\n\n"
        }
        text += costs(report)
    }

    private mutating func changes(
        _ series: ClusterReport.Series, _ sums: [(String, (ClusterReport.Sample) -> Duration, limit: Double?)]
    ) -> String {
        var table = TextTable([
            .init(minimumWidth: 40), .init("", .right, minimumWidth: 8), .init("", .right, minimumWidth: 8),
            .init("", .right, minimumWidth: 8), .init(),
        ])
        table.add(["\(series.name), ms", "p50", "p99", "max", ""])
        func row(_ name: String, _ part: (ClusterReport.Sample) -> Duration, limit: Double? = nil) -> Bool {
            let times = series.samples.map { part($0) / .milliseconds(1) }
            let p99 = times.quantile(0.99) ?? 0
            let isMet = limit.map { p99 <= $0 } ?? true
            table.add(
                [name] + [times.quantile(0.5) ?? 0, p99, times.max() ?? 0].map { Quantity.fixed($0, places: 2) }
                    + [limit.map { "p99 <= \(Quantity.fixed($0, places: 0))\(isMet ? "" : " MISSED")" } ?? ""])
            return isMet
        }
        for (name, sum, limit) in sums where !row("event to \(name)", sum, limit: limit) { isMet = false }
        for (name, part) in ClusterBenchTable.parts { _ = row("  \(name)", part) }
        _ = row("CPU time of the agent", \.processorTime)
        let programs = Double(series.samples.reduce(0) { $0 + $1.programs }) / Double(max(series.samples.count, 1))
        return table.lines().joined(separator: "\n") + "\n  programs loaded a change: "
            + Quantity.fixed(programs, places: 1)
    }

    private static let parts: [(String, @Sendable (ClusterReport.Sample) -> Duration)] = [
        ("delivery: server, TLS, decoding", { $0.delivery }), ("objects, bindings, debounce", { $0.reduce }),
        ("compile", { $0.compile }), ("plan", { $0.plan }), ("load and verify", { $0.load }), ("swap", { $0.swap }),
        ("grace period", { $0.grace }), ("raise revisions", { $0.revisions }),
    ]

    private mutating func costs(_ report: ClusterReport) -> String {
        var table = TextTable([.init(minimumWidth: 40), .init("", .right, minimumWidth: 24), .init("  "), .init()])
        func mebibytes(_ bytes: Int) -> String { "\(bytes >> 20) MiB" }
        func goal(_ isMet: Bool, _ text: String) -> String {
            if !isMet { self.isMet = false }
            return isMet ? text : "\(text) MISSED"
        }
        table.add(["\(report.pods) pods, 1,001 policies, 50 local", "", "", ""])
        table.add([
            "first state: wall, CPU",
            [report.firstState, report.firstStateCPU].map { Quantity.fixed($0 / .milliseconds(1), places: 0) + " ms" }
                .joined(separator: ", "), "", "",
        ])
        table.add([
            "resident: start, first state, end",
            [report.residentAtStart, report.resident, report.residentAtEnd].map(mebibytes).joined(separator: ", "), "",
            goal(report.residentAtEnd <= report.residentLimit, "<= \(mebibytes(report.residentLimit))"),
        ])
        let kinds = report.residentKinds
        for (name, bytes) in [
            ("heap in use", kinds.heapInUse), ("heap free, kept", kinds.heapFree), ("code and constants", kinds.code),
            ("data of those, written", kinds.data), ("stacks", kinds.stacks), ("maps of the kernel", kinds.maps),
            ("others", kinds.others),
        ] { table.add(["  \(name)", Quantity.fixed(Double(bytes) / Double(1 << 20), places: 1) + " MiB", "", ""]) }
        let share = report.idleCPU / max(report.idle, .milliseconds(1))
        table.add([
            "idle for \(Quantity.fixed(report.idle / .seconds(1), places: 0)) s",
            "\(Quantity.fixed(share * 100, places: 2)) % of a core", "",
            goal(share <= ClusterReport.idleLimit, "<= 1 %"),
        ])
        return table.lines().joined(separator: "\n")
    }
}
