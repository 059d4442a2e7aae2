import Foundation
import Testing

@testable import PolicyAPI
@testable import PolicyAnalysis

@Suite("The catalogue of diagnostics")
struct DiagnosticCatalogueTests {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()

    @Test("Every id is in the catalogue once")
    func complete() {
        let ids = DiagnosticCatalogue.entries.map(\.id)
        #expect(Set(ids).count == ids.count)
        #expect(Set(ids) == Set(DiagnosticID.allCases))
    }

    @Test("An example produces its id, and its fixed form produces nothing", arguments: DiagnosticID.allCases)
    func examples(_ id: DiagnosticID) throws {
        let entry = try #require(DiagnosticCatalogue.entry(id))
        guard let bad = entry.bad, let good = entry.good else {
            // What no manifest shows by itself: the file is missing, what is around it counts (RepositoryTests), or it would be long
            // (PrefixBudgetTests, ServiceRoomTests).
            #expect(
                [.unreadable, .emptyInput, .kustomization, .unrenderedTemplate, .tooManyPrefixes, .servicesLeftOut]
                    .contains(id))
            return
        }
        let found = lint(bad)
        #expect(found.contains { $0.id == id }, "\(found)")
        #expect(found.allSatisfy { $0.severity != .error || entry.severity == .error }, "\(found)")
        #expect(lint(good) == [])
    }

    @Test("docs/reference/diagnostics.md is generated from the catalogue")
    func page() throws {
        let path = Self.root.appending(path: "docs/reference/diagnostics.md")
        let written = try? String(contentsOf: path, encoding: .utf8)
        if written != DiagnosticCatalogue.referencePage,
            ProcessInfo.processInfo.environment["RECORD_SNAPSHOTS"] != nil
        {
            try DiagnosticCatalogue.referencePage.write(to: path, atomically: true, encoding: .utf8)
        }
        #expect(
            written == DiagnosticCatalogue.referencePage, "run the tests with RECORD_SNAPSHOTS=1 and commit the page")
    }
}
