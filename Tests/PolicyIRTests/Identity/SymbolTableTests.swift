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
}
