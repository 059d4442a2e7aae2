import Testing

@testable import PolicyIR

@Suite struct SymbolTableTests {
    @Test func equalTextsHaveOneSymbolAndOthersTheirOwn() {
        var table = SymbolTable()
        let texts = (0..<5_000).map { "text-\($0)" } + [""]
        let symbols = texts.map { table.intern($0) }
        #expect(Set(symbols).count == texts.count)
        #expect(!symbols.contains(SymbolTable.none))
        #expect(texts.map { table.intern($0) } == symbols)
        #expect(texts.map { table.symbol(of: $0) } == symbols)
        #expect(zip(texts, symbols).allSatisfy { table[$1] == $0 })
        #expect(table.symbol(of: "text-5000") == SymbolTable.none)
    }

    /// Texts are equal as the evaluator compares them: not by their bytes.
    @Test(arguments: [("K", "\u{212a}"), ("\u{212a}", "K"), ("\u{e9}", "e\u{301}"), ("e\u{301}", "\u{e9}")])
    func textsThatAreEqualInOtherBytesHaveOneSymbol(_ first: String, _ second: String) {
        var table = SymbolTable()
        let before = table.intern("before")
        let symbol = table.intern(first)
        #expect(table.symbol(of: second) == symbol)
        #expect(table.intern(second) == symbol)
        #expect(table.intern(first) == symbol)
        #expect(table.intern("before") == before)
        #expect(table.symbol(of: "after") == SymbolTable.none)
        let after = table.intern("after")
        #expect(![before, symbol, SymbolTable.none].contains(after))
        #expect(table.intern("after") == after)
    }

    /// Whoever asks compares: of things whose hashes are equal all are offered, before and after the table has grown.
    @Test func thingsOfEqualHashesAreAllOffered() {
        var table = ProbeTable()
        // Neighbours in the table with other hashes, and one hash for every third.
        for number in 0..<1_000 { table.append(number % 3 == 0 ? 7 : UInt64(number)) }
        func found(_ hash: UInt64) -> [Int] {
            var probe = table.probe(hash)
            var found: [Int] = []
            while let number = table.next(&probe) { found.append(number) }
            return found
        }
        #expect(Set(found(7)) == Set((0..<1_000).filter { $0 % 3 == 0 || $0 == 7 }))
        #expect(found(8) == [8])
        #expect(found(9) == [])
        #expect(found(2_000) == [])
    }

    /// Nobody who does not know the key can choose texts that collide, so no two tables may have one.
    @Test func hashesAreOfTheirKey() {
        let (one, other) = (KeyedHash(), KeyedHash())
        #expect(one.hash("app") == one.hash("app"))
        #expect(one.hash("app") != other.hash("app"))
        #expect(one.hash([1, 2, 3]) != other.hash([1, 2, 3]))
        // Zeroes at the end count, as symbols and as bytes.
        #expect(one.hash([1, 0]) != one.hash([1]))
        #expect(one.hash("a\u{0}") != one.hash("a"))
        #expect(one.hash("\u{e9}") == nil)
    }
}
