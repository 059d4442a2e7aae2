@testable import PolicyAPI

/// docs/reference/support-matrix.md, made from the field tables.
enum SupportMatrixPage {
    static var text: String {
        var page = """
            <!-- generated: from Sources/PolicyAPI/Decoding/FieldTables.swift by the tests; RECORD_SNAPSHOTS=1 rewrites it -->
            # Fields

            Every field of the policies that netpold reads, and how it is handled. The decoders use these tables, and a test tries each
            field at each path.

            - **enforced**: read and enforced.
            - **metadata**: has no effect on traffic.
            - **refused**: exists, but is not implemented by netpold: an error (`unsupported-field`). `null` is the same as absent.

            Any other field is an error (`unknown-field`) that proposes the nearest known field. An object with an error is refused as a
            whole, and the pods that it selects are isolated: a policy that is only half read allows or denies something other than what
            it says. Of Pods, Services and other objects that are not policies, netpold reads only what it needs and ignores other fields.
            Where a value has another meaning than elsewhere: [differences](differences.md).

            """
        for section in FieldTables.sections {
            page += "\n## \(section.title)\n"
            let versions = Set(section.kinds.map { $0.apiVersions.joined(separator: "`, `") })
            if versions.count == 1, let version = versions.first { page += "\napiVersion: `\(version)`\n" }
            if !section.intro.isEmpty { page += "\n\(section.intro)\n" }
            for table in section.tables { page += "\n" + self.table(table) }
        }
        return page
    }

    private static func table(_ table: FieldTable) -> String {
        var text = "### \(heading(table.paths))\n\n| field | handling | note |\n|---|---|---|\n"
        for row in table.rows {
            for name in row.names { text += "| `\(name)` | \(words(row)) |\n" }
        }
        return text
    }

    private static func words(_ row: FieldTable.Row) -> String {
        switch row.treatment {
        case .enforced: "enforced | \(row.note)"
        case .metadata: "metadata | \(row.note)"
        case .refused(let why, let instead, let exception):
            "refused | \(why): \(instead)" + (exception.map { "; `\($0.value)` is accepted" } ?? "")
        }
    }

    /// `spec.ingress|egress[].ports[]`: paths of one length have their steps merged.
    private static func heading(_ paths: [String]) -> String {
        guard paths != [""] else { return "the object" }
        let split = paths.map { $0.split(separator: ".").map { $0.replacing("[]", with: "") } }
        var lines: [String] = []
        for (index, steps) in split.enumerated() where split.firstIndex(where: { $0.count == steps.count }) == index {
            let alike = split.filter { $0.count == steps.count }
            let marks = paths[index].split(separator: ".").map { $0.hasSuffix("[]") ? "[]" : "" }
            let merged = steps.indices.map { place in
                var names: [Substring] = []
                for path in alike where !names.contains(path[place]) { names.append(path[place]) }
                return names.joined(separator: "|") + marks[place]
            }
            lines.append("`" + merged.joined(separator: ".") + "`")
        }
        return lines.joined(separator: ", ")
    }
}
