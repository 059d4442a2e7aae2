import BPFEmit
import Testing

@testable import Agent

@Suite("pods with too little of the flow table")
struct CrowdedFlowsTests {
    private static let (web, db) = (key("web"), key("db"))
    private static func key(_ name: String) -> EndpointKey { EndpointKey(namespace: "shop", name: name) }

    private static func share(refused: UInt64, answered: Int = 0, canGrow: Bool = true) -> FlowShare {
        FlowShare(used: answered, answered: answered, room: 100, canGrow: canGrow, refused: refused)
    }

    @Test("who is refused new flows is named for a minute, though the part may grow and though nothing else changes")
    func refused() {
        var flows = CrowdedFlows()
        // What was before the agent is no news, of none.
        let before = [Self.web: Self.share(refused: 7), Self.db: Self.share(refused: 0)]
        #expect(flows.conditions(before) == [])
        #expect(flows.conditions(before) == [])
        let after = [Self.web: Self.share(refused: 12), Self.db: Self.share(refused: 0)]
        for look in 0..<CrowdedFlows.looks {
            let found = flows.conditions(after)
            #expect(found.map(\.subject) == ["\(Self.web)"], "\(look)")
            #expect(found.allSatisfy { $0.kind == .flowsCrowded && $0.message.hasPrefix("5 packets") && !$0.isSevere })
        }
        #expect(flows.conditions(after) == [])
        // Again, twice: from the first on all are counted.
        _ = flows.conditions([Self.web: Self.share(refused: 13)])
        #expect(flows.conditions([Self.web: Self.share(refused: 15)]).first?.message.hasPrefix("3 packets") == true)
        // One that is gone is not named, and one that comes with its own counts is.
        #expect(flows.conditions([Self.db: Self.share(refused: 4)]).map(\.subject) == ["\(Self.db)"])
        #expect(flows.conditions([Self.db: Self.share(refused: 1)]).first?.message.hasPrefix("5 packets") == true)
    }

    @Test("a part that is full of answered flows and cannot grow is named as long as it is so")
    func crowded() {
        var flows = CrowdedFlows()
        let full = Self.share(refused: 0, answered: 90, canGrow: false)
        for _ in 0..<10 { #expect(flows.conditions([Self.web: full]).map(\.subject) == ["\(Self.web)"]) }
        #expect(flows.conditions([Self.web: Self.share(refused: 0, answered: 90)]) == [])
    }
}
