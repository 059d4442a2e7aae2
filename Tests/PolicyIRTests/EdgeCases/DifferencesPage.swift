import PolicyAPI

/// docs/reference/differences.md, made from the rows that say what they differ in.
enum DifferencesPage {
    static var text: String {
        var page = """
            # Differences

            Where netpold means something else than Cilium, or than the text of an API, on purpose: it fails closed, or it
            means what upstream means. What both refuse, and what only netpold refuses because nothing would enforce it, is in
            [the reference of fields](support-matrix.md). Made from `Tests/PolicyIRTests/EdgeCases`, where each line is a
            test; a test fails when the two differ.

            """
        let groups: [(title: String, intro: String, tables: Set<SpecTable>)] = [
            (
                "Cilium policies",
                "Elsewhere is Cilium 1.20. A number is a row of [the edge-case table](../spec/cilium-network-policy.md), another title "
                    + "begins with its section there.",
                [.ciliumEdgeCases, .ciliumSections]
            ),
            (
                "NetworkPolicy",
                "Elsewhere is the API server, or the text of the API; the rows are those of [its tables](../spec/network-policy.md).",
                [.decisionFunction, .fields, .validation, .greyAreas]
            ),
            (
                "ClusterNetworkPolicy and AdminNetworkPolicy", "Elsewhere is the text of the API.",
                [.clusterPolicy, .adminPolicy]
            ),
        ]
        for group in groups {
            let cases = EdgeCases.all.filter { $0.differs != nil && group.tables.contains($0.row.table) }.sorted {
                place($0.row) < place($1.row)
            }
            guard !cases.isEmpty else { continue }
            page +=
                "\n## \(group.title)\n\n\(group.intro)\n\n| row | input | elsewhere | netpold | why |\n|---|---|---|---|---|\n"
            for entry in cases {
                guard let differs = entry.differs else { continue }
                let cells = [differs.input, differs.theirs, differs.ours, differs.why]
                page += "| \(entry.row.title) | " + cells.joined(separator: " | ") + " |\n"
            }
        }
        return page
    }

    /// Numbered rows in their order, then the others in that of the tests.
    private static func place(_ row: SpecRow) -> (Int, Int) {
        let number = Int(row.title)
        return (number ?? .max, EdgeCases.all.firstIndex { $0.row == row } ?? .max)
    }
}
