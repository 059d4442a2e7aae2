import Foundation
import LabKit
import Testing

/// Names of which nobody has heard before, each connected to as soon as the answer is there: "0 lost; the same with the agent killed".
/// `NETPOLD_LOOKUPS` of them (`make lookups`: 10,000).
@Suite("New names, connected to at once", .enabled(if: geteuid() == 0, "needs root"), .serialized)
struct NameLookupTests {
    private static let count = ProcessInfo.processInfo.environment["NETPOLD_LOOKUPS"].flatMap(Int.init) ?? 1000

    private static func names(_ kind: String, _ count: Int) -> [String] {
        (0..<count).map { "\(kind)\($0).example.com" }
    }

    @Test(
        "every connection right after its answer is let in, with the agent and without it; what was not asked for stays closed"
    )
    func lookups() throws {
        let half = Self.count / 2
        let attended = Self.names("a", half)
        let unattended = Self.names("b", Self.count - half)
        let unasked = ["never.example.com"]
        let refused = "www.example.org"
        let world = try NameWorld(names: attended + unattended + unasked + [refused])

        #expect(try world.connects(unasked[0]) == .silent)
        let lost = try world.lost(attended)
        #expect(lost == [], "\(lost.count) of \(half), such as \(lost.prefix(3))")
        #expect(try world.lost(Array(attended.prefix(50)), isIPv4: false) == [])
        #expect(try world.lost([refused]).map(\.outcome) == [.denied("REFUSED")])

        world.agent.end(SIGKILL)
        let lostAlone = try world.lost(unattended)
        #expect(lostAlone == [], "\(lostAlone.count) of \(unattended.count), such as \(lostAlone.prefix(3))")
        #expect(try world.lost([refused]).map(\.outcome) == [.denied("REFUSED")])
        #expect(try world.connects(unasked[0]) == .silent)
        // What was learnt before is still open.
        #expect(try world.connects(attended[half - 1]) == .answered(by: "outside"))

        try world.agent.start()
        #expect(try world.connects(unattended[0]) == .answered(by: "outside"))
        #expect(try world.connects(unasked[0]) == .silent)
    }
}
