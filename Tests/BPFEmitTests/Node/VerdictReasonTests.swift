import CNetpoldABI
import Foundation
import Testing

@testable import BPFEmit

/// netpold_abi.h, `VerdictReason` and docs/reference/drop-reasons.md say the same.
@Suite struct VerdictReasonTests {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()

    @Test("the header's table and the cases have the same numbers, each once")
    func header() {
        let table = (0...UInt8.max).filter { np_reason_name($0) != nil }
        #expect(VerdictReason.allCases.map(\.rawValue).sorted() == table)
        #expect(table.allSatisfy { np_reason_text($0) != nil && VerdictReason(rawValue: $0)?.rawValue == $0 })
        #expect(table.count > 20 && table.last.map { UInt32($0) < NP_REASON_COUNT.rawValue } == true)
    }

    @Test("every enumerator of the header stands in its table, and its name says which half it is of")
    func names() throws {
        let header = try String(
            contentsOf: Self.root.appending(path: "Sources/CNetpoldABI/include/netpold_abi.h"), encoding: .utf8)
        let others: Set = [
            "NP_REASON_NONE", "NP_REASON_FIRST_DROP", "NP_REASON_COUNT", "NP_REASON_TABLE", "NP_REASON_ENUMERATOR",
        ]
        let written = Set(header.matches(of: /\bNP_(REASON|DROP)_[A-Z0-9_]+\b/).map { "\($0.0)" }).subtracting(others)
        #expect(Set(VerdictReason.allCases.map { VerdictReason.name(wire: $0.rawValue) }) == written)
        for reason in VerdictReason.allCases {
            let name = VerdictReason.name(wire: reason.rawValue)
            #expect(reason.isDrop == name.hasPrefix("NP_DROP_"), "\(name)")
        }
    }

    @Test("docs/reference/drop-reasons.md is the table")
    func page() throws {
        let path = Self.root.appending(path: "docs/reference/drop-reasons.md")
        let written = try? String(contentsOf: path, encoding: .utf8)
        if written != Self.referencePage, ProcessInfo.processInfo.environment["RECORD_SNAPSHOTS"] != nil {
            try Self.referencePage.write(to: path, atomically: true, encoding: .utf8)
        }
        #expect(written == Self.referencePage, "run the tests with RECORD_SNAPSHOTS=1 and commit the page")
    }

    private static var referencePage: String {
        var page = """
            # Reasons

            What `netpold monitor` and `netpold status` say about a packet. Made from `NP_REASON_TABLE` of netpold_abi.h; a test
            fails when the two differ.

            | number | name | packet | meaning |
            |---|---|---|---|

            """
        for reason in VerdictReason.allCases.sorted(by: { $0.rawValue < $1.rawValue }) {
            let number = reason.rawValue
            page += "| \(number) | `\(VerdictReason.name(wire: number))` | \(reason.isDrop ? "dropped" : "passed") | "
            page += "\(VerdictReason.sentence(wire: number)) |\n"
        }
        return page
    }

    @Test("a reason of a later version is still a drop when its number is one")
    func unknown() {
        #expect(VerdictReason(rawValue: 95) == nil)
        #expect(VerdictReason.isDrop(wire: 95))
        #expect(!VerdictReason.isDrop(wire: 20))
        #expect(VerdictReason.name(wire: 95) == "95")
        #expect(VerdictReason.sentence(wire: 95).contains("95"))
    }
}
