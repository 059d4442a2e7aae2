import NetTypes
import PolicyIR

extension NodeDump {
    /// The automaton of names, and the columns; nothing where no policy asks about names.
    func nameBlocks(_ made: DumpedTables) -> [Block] {
        let tables = made.names
        let columns = image.subjects.filter { !$0.egress.columns.isEmpty }
        if tables.patterns.isEmpty, columns.isEmpty { return [] }
        var blocks: [Block] = [
            .heading(
                "names: \(tables.patterns.count) patterns, an automaton of \(tables.automaton.stateCount) states, "
                    + "\(tables.setCount) name sets, \(made.nameRules) entries of programs and columns")
        ]
        blocks += tables.leftOut.map { .line("  left out, it satisfies nothing: \($0)") }
        if columns.isEmpty { return blocks }
        var table = DumpTable([
            .words("subject"), .numbers("numbering"), .numbers("column"), .words("names"), .words("rules"),
        ])
        for subject in columns {
            for column in subject.egress.columns {
                table.add([
                    .text(subject.key), "\(subject.names)", "\(column.number)", .text("\(column.list)"),
                    .text(rules(column, subject.egress)),
                ])
            }
        }
        return blocks + [.table(table)]
    }

    private func rules(_ column: PolicyBits.Column, _ policy: PolicyImage) -> String {
        let numbers = policy.bits.indices.filter { bit in
            bit / 64 < column.words.count && column.words[bit / 64] >> UInt64(bit % 64) & 1 == 1
        }
        return Set(numbers.map { policy.bits[$0].rule }).sorted().map(String.init).joined(separator: ",")
    }
}

extension NodeImage {
    /// Entries of np_name_rules, of the tables of its names.
    func nameRuleCount(_ tables: NameTables) -> Int {
        let policies = subjects.flatMap { [$0.ingress, $0.egress] }
        let kinds = policies.reduce(0) { count, policy in
            count + (policy.bits.contains(where: \.isDNS) ? 1 : 0)
                + (policy.bits.contains(where: \.isServerName) ? 1 : 0)
        }
        let numberings = Dictionary(grouping: policies.filter { $0.names != 0 }, by: \.names)
        let rules = policies.reduce(0) { count, policy in
            let queries = policy.l7Bits(where: \.isDNS)
            return count
                + tables.rules(of: policy).values.reduce(0) {
                    $0 + ($1 & queries != 0 ? 1 : 0) + ($1 & ~queries != 0 ? 1 : 0)
                }
        }
        return kinds + rules
            + numberings.values.reduce(0) { $0 + tables.columns(of: $1).count }
    }
}
