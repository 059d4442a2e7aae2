import Foundation
import Testing

@Suite("Edge cases of the specifications") struct EdgeCaseTests {
    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()

    @Test("a row holds, from manifests to answers", arguments: EdgeCases.all)
    func row(_ entry: EdgeCase) {
        for (number, trial) in entry.trials.enumerated() {
            let failures = trial.failures().joined(separator: "\n")
            #expect(failures.isEmpty, "\(entry) (manifests \(number + 1)):\n\(failures)\n\(trial.manifests)")
        }
    }

    @Test("every row of the tables is a test, or is listed with the reason why not", arguments: SpecTable.allCases)
    func complete(_ table: SpecTable) throws {
        let shown = EdgeCases.all.map(\.row)
        let listed = ElsewhereRows.all.map(\.row)
        let all = (shown + listed).filter { $0.table == table }
        #expect(!all.isEmpty)
        #expect(Dictionary(grouping: all, by: \.self).filter { $0.value.count > 1 }.keys.map(\.title) == [])
        let page = try SpecPage(table.page)
        guard let section = table.section else {
            // Of sections that are no table only differences are listed.
            for row in all { #expect(page.has(section: String(row.title.prefix { $0 != " " })), "\(row)") }
            return
        }
        let titles = page.rowTitles(of: section)
        #expect(Set(titles).count == titles.count)
        #expect(Set(all.map(\.title)).subtracting(titles) == [], "not in the table")
        #expect(titles.filter { !all.map(\.title).contains($0) } == [], "neither tested nor listed")
    }

    @Test("the tests that rows refer to are there")
    func references() throws {
        for (row, place) in ElsewhereRows.all {
            #expect(try place.missing(under: EdgeCaseTests.root.appending(path: "Tests")) == [], "\(row)")
        }
    }

    @Test("every row says something, and shows it")
    func substance() {
        for entry in EdgeCases.all {
            #expect(!entry.says.isEmpty && !entry.trials.isEmpty, "\(entry)")
            for trial in entry.trials { #expect(!trial.flows.isEmpty || !trial.refused.isEmpty, "\(entry)") }
        }
    }

    @Test("docs/reference/differences.md is what the rows make of it")
    func page() throws {
        let path = EdgeCaseTests.root.appending(path: "docs/reference/differences.md")
        let written = try? String(contentsOf: path, encoding: .utf8)
        if written != DifferencesPage.text, ProcessInfo.processInfo.environment["RECORD_SNAPSHOTS"] != nil {
            try DifferencesPage.text.write(to: path, atomically: true, encoding: .utf8)
        }
        #expect(written == DifferencesPage.text, "run the tests with RECORD_SNAPSHOTS=1 and commit the page")
    }
}
