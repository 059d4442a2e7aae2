import NetpoldTestSupport
import PolicyIR
import Testing

struct NamePatternIndexTests {
    @Test("it finds the patterns that match one by one, whatever patterns and names", arguments: UInt64(0)..<20)
    func sameAsOneByOne(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        func text(_ pieces: [String]) -> String {
            (0..<Int.random(in: 1...6, using: &random)).map { _ in pieces.randomElement(using: &random) ?? "" }.joined()
        }
        let patterns = (0..<300).map { number -> NamePattern in
            let text = text(["a", "b", ".", ".io", ".a.b", "*", "**.", "A-"])
            let use: NamePattern.Use = number % 2 == 0 ? .addresses : .queries
            return number % 3 == 0 ? NamePattern(.name(text), for: use) : NamePattern(.pattern(text), for: use)
        }
        let index = NamePatternIndex(patterns)
        var found = 0
        for _ in 0..<300 {
            let name = text(["a", "b", ".", ".io", ".a.b", "A-", "\\046", " "])
            let expected = patterns.indices.filter { patterns[$0].matches(name) }
            #expect(index.matches(of: name) == expected, "\(name)")
            found += expected.count
        }
        for name in [".", "", "a", "io."] {
            #expect(index.matches(of: name) == patterns.indices.filter { patterns[$0].matches(name) }, "\(name)")
        }
        #expect(found > 300)
    }
}
