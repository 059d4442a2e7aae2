import NetpoldTestSupport
import PolicyAPI
import PolicyIR
import Testing

@testable import BPFEmit

@Suite("The automaton of names")
struct NameAutomatonTests {
    private static func labels(_ name: String) -> [[UInt8]] {
        name.split(separator: ".").map { Array($0.utf8) }
    }

    private static func matches(_ automaton: NameAutomaton, _ name: String) -> [Int] {
        automaton.patterns[automaton.set(ofLabels: labels(name))]
    }

    @Test("without patterns there is an automaton, and nothing satisfies anything")
    func none() {
        let automaton = NameAutomaton([])
        #expect(automaton.patterns[automaton.set(ofLabels: [Array("a".utf8)])].isEmpty)
        #expect(automaton.patterns[automaton.set(ofLabels: [])].isEmpty && automaton.leftOut.isEmpty)
    }

    @Test("examples of the specification")
    func examples() {
        let texts = ["*.x.io", "**.x.io", "*x.io", "sub*.x.io", "a.**.x.io", "*", "API.x.io."]
        let automaton = NameAutomaton(texts.map { NamePattern(.pattern($0)) })
        #expect(Self.matches(automaton, "x.io") == [2, 5])
        #expect(Self.matches(automaton, "a.x.io") == [0, 1, 5])
        #expect(Self.matches(automaton, "api.X.io") == [0, 1, 5, 6])
        #expect(Self.matches(automaton, "ax.io") == [2, 5])
        #expect(Self.matches(automaton, "sub.x.io") == [0, 1, 3, 5])
        #expect(Self.matches(automaton, "subway.x.io") == [0, 1, 3, 5])
        #expect(Self.matches(automaton, "a.b.x.io") == [1, 4, 5])
        #expect(Self.matches(automaton, "a.b.c.x.io") == [1, 5])
        #expect(Self.matches(automaton, "") == [5])
        #expect(automaton.leftOut == [])
    }

    @Test("what is no name matches only the queries that match everything")
    func noNames() {
        let automaton = NameAutomaton([
            NamePattern(.pattern("*"), for: .queries), NamePattern(.pattern("*")), NamePattern(.name("a.io")),
        ])
        let odd: [[UInt8]] = [[0x61, 0x2e, 0x69, 0x6f], [0x61, 0], [0xc3, 0xa4], [0x2a]]
        for label in odd {
            #expect(automaton.patterns[automaton.set(ofLabels: [label])] == [0])
        }
        #expect(automaton.patterns[automaton.set(ofLabels: [])] == [0, 1])
    }

    @Test("any patterns and names: the walk ends where the evaluator says", arguments: 0..<40 as Range<UInt64>)
    func law(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        func text(_ alphabet: [String], _ longest: Int) -> String {
            (0...Int.random(in: 0..<longest, using: &random)).map { _ in random.pick(alphabet) }.joined()
        }
        let selectors: [FQDNSelector] = (0..<12).map { _ in
            random.once(in: 3)
                ? .name(text(["a", "b", "A", "-", "."], 6)) : .pattern(text(["a", "b", "*", "*", "_", "."], 7))
        }
        let patterns = selectors.map { NamePattern($0, for: random.once(in: 4) ? .queries : .addresses) }
        let automaton = NameAutomaton(patterns)
        #expect(automaton.leftOut == [])
        for _ in 0..<300 {
            let labels = (0..<Int.random(in: 0...4, using: &random)).map { _ in
                text(["a", "b", "B", "-", "_", "a", "b", "*", "é"], 3)
            }
            let name = labels.joined(separator: ".")
            let expected = patterns.indices.filter { patterns[$0].matches(name) }
            #expect(
                automaton.patterns[automaton.set(ofLabels: labels.map { Array($0.utf8) })] == expected,
                "\(name) by \(selectors)")
        }
    }

    @Test("beyond the budget, patterns are left out: those of many names first")
    func budget() {
        let names = (0..<50).map { NamePattern(.name("host-\($0).example.com")) }
        let wide = [NamePattern(.pattern("*a*b*.example.com"))]
        let all = NameAutomaton(wide + names)
        #expect(all.leftOut == [])
        let some = NameAutomaton(wide + names, budget: all.stateCount - 1)
        #expect(some.leftOut == [0])
        #expect(some.stateCount < all.stateCount)
        #expect(Self.matches(some, "host-7.example.com") == [8])
        #expect(Self.matches(some, "ab.example.com") == [])
        let none = NameAutomaton(names, budget: 2)
        #expect(none.leftOut == Array(names.indices))
        #expect(Self.matches(none, "host-7.example.com") == [])
    }

    @Test("a pattern that multiplies states does not take the machine with it")
    func blowUp() {
        let stars = (0..<12).map { index in
            NamePattern(.pattern("*" + String(repeating: "a", count: index + 1) + "*" + "b*c*.example.com"))
        }
        let automaton = NameAutomaton(stars + [NamePattern(.name("api.example.com"))], budget: 500)
        #expect(automaton.stateCount <= 500)
        #expect(Self.matches(automaton, "api.example.com") == [12])
        #expect(!automaton.leftOut.contains(12))
    }

    @Test("beyond the work, patterns with stars are left out long before there are too many states, and names are not")
    func work() {
        let names = (0..<100).map { NamePattern(.name("host-\($0).example.com")) }
        let stars = (0..<300).map { NamePattern(.pattern("*a*b*\($0).example.com")) }
        let automaton = NameAutomaton(stars + names, work: 30_000)
        #expect(automaton.stateCount < 3_000)
        #expect(automaton.leftOut.count > 200 && automaton.leftOut.allSatisfy { $0 < stars.count })
        // Those that fit do so whatever comes behind them.
        #expect(automaton.leftOut == Array((automaton.leftOut.first ?? 0)..<stars.count))
        #expect(Self.matches(automaton, "host-99.example.com") == [399])
        #expect(automaton == NameAutomaton(stars + names, work: 30_000))
        let all = NameAutomaton(Array(stars.prefix(8)) + names)
        #expect(all.leftOut.isEmpty && Self.matches(all, "xaxbx7.example.com") == [7])
        // With work for nothing.
        let none = NameAutomaton(stars, work: 1)
        #expect(none.leftOut == Array(stars.indices) && Self.matches(none, "ab1.example.com") == [])
    }

    @Test("seven hundred names: the same automaton each time")
    func many() {
        let patterns = (0..<700).map { NamePattern(.name("service-\($0).team-\($0 % 7).example.com")) }
        let automaton = NameAutomaton(patterns)
        #expect(automaton == NameAutomaton(patterns))
        #expect(Self.matches(automaton, "service-699.team-6.example.com") == [699])
        #expect(Self.matches(automaton, "service-699.team-5.example.com") == [])
    }

    @Test("the product of two automata gives every name the sets of both, and has a budget")
    func product() throws {
        let earlier = NameAutomaton([NamePattern(.pattern("*.a.example")), NamePattern(.name("x.a.example"))])
        let own = NameAutomaton([NamePattern(.name("b.example")), NamePattern(.pattern("**.example"))])
        func row(_ state: Int) -> NameProduct.Row? {
            (Array(earlier.next[state * NameClass.count..<(state + 1) * NameClass.count]), earlier.sets[state])
        }
        let product = try #require(NameProduct(own, and: row))
        for name in ["x.a.example", "y.a.example", "b.example", "q.b.example", "example", "other.org", ""] {
            let labels = name.split(separator: ".").map { Array($0.utf8) }
            var state = NameAutomaton.start
            func step(_ class: NameClass) { state = Int(product.next[state * NameClass.count + `class`.number]) }
            for label in labels {
                for byte in label { step(NameClass(labelByte: byte)) }
                step(.end)
            }
            let pair = product.pairs[Int(product.sets[state])]
            #expect(Int(pair.earlier) == earlier.set(ofLabels: labels), "\(name)")
            #expect(Int(pair.own) == own.set(ofLabels: labels), "\(name)")
        }
        #expect(NameProduct(own, and: row, budget: 10) == nil)
        #expect(NameProduct(own, and: { _ in nil }) == nil)
    }
}
