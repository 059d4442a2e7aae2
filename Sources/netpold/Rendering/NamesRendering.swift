import Agent
import Support

/// Writes `netpold names` for people.
struct NamesRendering: Sendable {
    private let style: TextStyle
    private let width: Int?

    /// A rendering, with room for so many characters a line; `nil`: as many as it takes.
    init(style: TextStyle, width: Int?) {
        self.style = style
        self.width = width
    }

    /// The tables.
    func lines(_ reports: [NameReport]) -> [String] {
        var learnt = TextTable([
            .init("pod"), .init("name"), .init("address"), .init("ends in"), .init("selectors", narrow: .below),
        ])
        var denied = TextTable(header: ["pod", "refused name", "kind", "asked at", "times"])
        var counts = (learnt: 0, denied: 0)
        for report in reports {
            for name in report.names {
                for address in name.addresses {
                    learnt.add([
                        report.pod, name.name, address.address, "\(address.seconds) s",
                        name.selectors.isEmpty ? "-" : name.selectors.joined(separator: ", "),
                    ])
                    counts.learnt += 1
                }
            }
            for denial in report.denied.reversed() {
                denied.add([
                    report.pod, denial.name.isEmpty ? "(none)" : denial.name, denial.kind, denial.remote,
                    "\(denial.count)",
                ])
                counts.denied += 1
            }
        }
        let faint = { (cell: String, row: Int, _: Int) in row == 0 ? style.faint(cell) : cell }
        let names = counts.learnt == 0 ? ["no pod has learnt an address of a name"] : learnt.lines(width: width, faint)
        return names + (counts.denied == 0 ? [] : [""] + denied.lines(width: width, faint))
    }
}
