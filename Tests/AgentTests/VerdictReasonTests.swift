import Foundation
import Testing

@testable import Agent

@Suite struct VerdictReasonTests {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    @Test("the words know exactly the reasons of netpold_abi.h")
    func header() throws {
        let header = try String(
            contentsOf: VerdictReasonTests.root.appending(path: "Sources/CNetpoldABI/include/netpold_abi.h"),
            encoding: .utf8)
        var numbers: [String: UInt8] = [:]
        for match in header.matches(of: /\b(NP_REASON_[A-Z0-9_]+|NP_DROP_[A-Z0-9_]+) = (\d+),/) {
            numbers[String(match.1)] = UInt8(match.2)
        }
        for mark in ["NP_REASON_NONE", "NP_REASON_FIRST_DROP", "NP_REASON_COUNT"] { numbers[mark] = nil }
        let words = Dictionary(uniqueKeysWithValues: VerdictReason.allCases.map { ($0.abiName, $0.rawValue) })
        #expect(words == numbers)
        #expect(words.count > 20)
    }

    @Test("docs/reference/drop-reasons.md is what the table makes of it")
    func page() throws {
        let path = VerdictReasonTests.root.appending(path: "docs/reference/drop-reasons.md")
        let written = try? String(contentsOf: path, encoding: .utf8)
        if written != VerdictReason.referencePage,
            ProcessInfo.processInfo.environment["RECORD_SNAPSHOTS"] != nil
        {
            try FileManager.default.createDirectory(
                at: path.deletingLastPathComponent(), withIntermediateDirectories: true)
            try VerdictReason.referencePage.write(to: path, atomically: true, encoding: .utf8)
        }
        #expect(written == VerdictReason.referencePage, "run the tests with RECORD_SNAPSHOTS=1 and commit the page")
    }

    @Test("a reason of a later version is still a drop when its number is one")
    func unknown() {
        #expect(VerdictReason(wire: 60) == nil)
        #expect(VerdictReason.isDrop(wire: 60))
        #expect(!VerdictReason.isDrop(wire: 20))
        #expect(VerdictReason.sentence(wire: 60).contains("60"))
    }
}
