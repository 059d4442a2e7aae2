import Foundation

/// A page of docs/spec: its sections, and the rows of their tables.
struct SpecPage {
    private let lines: [Substring]

    /// Reads docs/spec/`name`.md.
    init(_ name: String) throws {
        let url = EdgeCaseTests.root.appending(path: "docs/spec/\(name).md")
        lines = try String(contentsOf: url, encoding: .utf8).split(separator: "\n", omittingEmptySubsequences: false)
    }

    /// Whether there is a section of this number.
    func has(section: String) -> Bool { heading(of: section) != nil }

    /// The first cell of each row of the section's table, without marks; empty when there is no such section or table.
    func rowTitles(of section: String) -> [String] {
        guard let start = heading(of: section) else { return [] }
        let body = lines[(start + 1)...].prefix { !$0.hasPrefix("#") }
        // The heads of the columns and the line below them come first.
        return body.filter { $0.hasPrefix("| ") || $0.hasPrefix("|-") }.dropFirst(2).map { row in
            let cell = row.dropFirst(2)
            let end = cell.firstRange(of: " |")?.lowerBound ?? cell.endIndex
            return cell[..<end].filter { $0 != "`" && $0 != "*" }
        }
    }

    private func heading(of section: String) -> Int? {
        lines.firstIndex { line in
            let title = line.drop { $0 == "#" }
            return line.hasPrefix("##") && (title.hasPrefix(" \(section) ") || title.hasPrefix(" \(section). "))
        }
    }
}
