import Agent
import ArgumentParser
import Support

/// `netpold rules`.
struct RulesCommand: ListCommand {
    static let configuration = CommandConfiguration(
        commandName: "rules",
        abstract: "Show what may decide at each pod, where it is written, and how many packets it has decided.",
        usage: "netpold rules [<options>]",
        discussion: """
            For each pod and direction, in the order of precedence: the rules, then what happens where none matches \
            (defaultDeny where a policy isolates the pod, with the first such policy, else defaultAllow), and towards the pod \
            its own node, which may always reach it. Verdicts: allow, l7 (allowed as far as L7 rules permit), deny, pass (the \
            next tier decides).

            Packets are those that the policy was asked about since the agent started: of new flows, and of known ones after a \
            change. Pods with equal labels have one program and share its counts; -o wide says with how many.

            \(exitCodes)

            Example: netpold rules -n shop
            """)

    @OptionGroup var list: ListOptions

    static let nothing = "no rules: no pod of the manifests is on this node"
    static func name(of row: RuleReport) -> String {
        row.rule.map { "\($0.object) \($0.path)" } ?? row.verdict.rawValue
    }

    static var columns: [RowColumn<RuleReport>] {
        [
            RowColumn("pod") { $0.pod },
            RowColumn("direction") { $0.direction },
            RowColumn("verdict", mood: { mood($0.verdict) }) { $0.verdict.rawValue },
            RowColumn("packets", .right) { $0.packets.map(String.init) ?? "-" },
            RowColumn("shared with", .right, isWide: true) { "\($0.sharedWith)" },
            RowColumn("rule", narrow: .below) { row in
                row.rule.map { [$0.object, $0.path].filter { !$0.isEmpty }.joined(separator: " ") } ?? "-"
            },
            RowColumn("written", narrow: .below) { $0.rule?.place ?? "-" },
        ]
    }

    private static func mood(_ verdict: RuleReport.Verdict) -> RowColumn<RuleReport>.Mood {
        switch verdict {
        case .allow, .defaultAllow, .host: .good
        case .l7, .pass: .notable
        case .deny, .defaultDeny: .bad
        }
    }
}
