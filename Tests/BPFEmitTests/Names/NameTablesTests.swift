import NetTypes
import PolicyAPI
import PolicyIR
import Testing

@testable import BPFEmit

/// What becomes of patterns that the automaton has no room for.
@Suite("Patterns of names over the budget")
struct NameTablesTests {
    /// 70 names of 250 bytes, a state each byte; and star patterns, which go first.
    private static let names = (0..<70).map { number in
        FQDNSelector.name((0..<5).map { "x\(number)-\($0)" + String(repeating: "x", count: 43) }.joined(separator: "."))
    }

    private static func bit(_ l7: L7Match, coversTCP: Bool = true) -> RuleBit {
        let origin = RuleOrigin(kind: "CiliumNetworkPolicy", namespace: "a", name: "b", path: "spec")
        return RuleBit(rule: 0, action: .allow, isL7: true, origin: origin, l7: l7, coversTCP: coversTCP)
    }

    private static func dns(_ patterns: [FQDNSelector], coversTCP: Bool = true) -> RuleBit {
        bit(.dns(patterns.map { Located($0) }), coversTCP: coversTCP)
    }

    private static func image(_ bits: [RuleBit], columns: [[FQDNSelector]] = []) -> PolicyImage {
        PolicyImage(
            program: EncodedProgram(instructions: [], mapReferences: []), words: 0, peers: [],
            columns: columns.enumerated().map { NameColumn(number: $0.offset, list: NameList($0.element), words: [1]) },
            bits: bits, isolatedBy: [], strictness: .isolating)
    }

    @Test(
        "which rules of a policy leave queries to the proxy: those with such patterns, or all where a column has some")
    func streamBits() throws {
        let known = Self.dns([.name("a.example")])
        let unknown = Self.dns([.pattern("*.far.example"), .name("b.example")])
        let overUDP = Self.dns([.pattern("*.far.example")], coversTCP: false)
        let rest = Self.image([Self.dns(Self.names)])
        let plain = Self.image([known, unknown, overUDP])
        let learning = Self.image([known, overUDP], columns: [[.name("a.example")], [.pattern("**.deep.example")]])
        let tables = NameTables([rest, plain, learning])
        #expect(tables.leftOut.contains("*.far.example.") && tables.leftOut.contains("**.deep.example."))
        #expect(!tables.leftOut.contains("a.example."))
        #expect(tables.streamBits(of: plain) == .init(unknown: 0b10, unlearnt: 0))
        #expect(tables.streamBits(of: learning) == .init(unknown: 0, unlearnt: 0b1))
        let small = NameTables([plain, learning])
        #expect(small.leftOut.isEmpty)
        #expect(small.streamBits(of: plain) == .init() && small.streamBits(of: learning) == .init())
    }

    @Test(
        "what stays denied: without a proxy all; with one server names, rules of UDP alone, and columns that no such rule teaches"
    )
    func denied() throws {
        let rest = Self.dns(Self.names)
        let far = FQDNSelector.pattern("*.far.example")
        let deep = FQDNSelector.pattern("**.deep.example")
        func denied(_ bits: [RuleBit], _ columns: [[FQDNSelector]] = [], hasProxy: Bool = true) throws -> Set<String> {
            let images = [Self.image([rest]), Self.image(bits, columns: columns)]
            return Set(NameTables(images).denied(images, hasProxy: hasProxy))
        }
        #expect(try denied([Self.dns([far])], [[deep]]) == [])
        #expect(
            try denied([Self.dns([far])], [[deep]], hasProxy: false).isSuperset(of: [
                "*.far.example.", "**.deep.example.",
            ]))
        #expect(try denied([Self.dns([far], coversTCP: false)]) == ["*.far.example."])
        #expect(
            try denied([Self.dns([far]), Self.dns([.name("a.b")], coversTCP: false)], [[deep]]) == ["**.deep.example."])
        #expect(try denied([], [[deep]]) == ["**.deep.example."])
        #expect(
            try denied([Self.bit(.serverNames([Located("*.far.example")])), Self.dns([far])]) == ["*.far.example."])
    }

    @Test(
        "whether a rule is about TCP wherever it is about UDP",
        arguments: [
            ([.ports(.udp, PortRange(53)), .ports(.tcp, PortRange(53)), .ports(.sctp, PortRange(53))], true),
            ([.ports(.udp, PortRange(53))], false),
            ([.ports(.udp, PortRange(53)), .ports(.tcp, PortRange(54))], false),
            ([.ports(.tcp, PortRange(53))], true),
            ([.named(.udp, "dns"), .named(.tcp, "dns")], false),
            ([], true),
        ] as [([TrafficClause], Bool)])
    func coversTCP(_ clauses: [TrafficClause], _ covers: Bool) {
        #expect(TrafficMatch.anyOf(clauses).coversTCPOfUDP == covers)
        #expect(TrafficMatch.everything.coversTCPOfUDP)
    }
}
