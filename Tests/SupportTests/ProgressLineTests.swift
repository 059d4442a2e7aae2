import Testing

@testable import Support

@Suite("The line of progress")
struct ProgressLineTests {
    @Test("it is one row of the terminal, whatever it names")
    func fitting() {
        #expect(ProgressLine.fitting("1/2 a.yaml", columns: 80) == "1/2 a.yaml")
        let cut = ProgressLine.fitting(String(repeating: "x", count: 200), columns: 80)
        #expect(cut.count == 79 && cut.hasSuffix("..."))
        #expect(ProgressLine.fitting("a\u{1b}b\n", columns: 80) == "a\\u{1b}b\\u{a}")
        #expect(ProgressLine.fitting("abcdef", columns: 1) == "a")
    }
}
