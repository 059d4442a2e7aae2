import Support
import Testing

@testable import PolicyAPI
@testable import PolicyAnalysis
@testable import Support

@Suite("Diagnostics with excerpts")
struct ExcerptTests {
    private func excerpt(_ line: String, _ column: Int, width: Int = 80) -> [String] {
        let excerpt = SourceExcerpt(line, column: column, width: width)
        return [excerpt.line, excerpt.mark]
    }

    @Test("A diagnostic is shown with its line, a mark under the value, and the help")
    func rendering() {
        let text = "kind: NetworkPolicy\nspec:\n  podSelctor: {}\n"
        let renderer = ExcerptRenderer(style: TextStyle(isColoured: false), width: 80) { file in
            file == "p.yaml" ? SourceText(Array(text.utf8)) : nil
        }
        let place = SourceLocation(file: "p.yaml", line: 3, column: 3)
        #expect(
            renderer.render([
                Diagnostic(
                    id: .unknownField, location: place, path: "spec.podSelctor", message: "unknown field",
                    hint: "did you mean \"podSelector\"?"),
                Diagnostic(id: .unreadable, severity: .warning, location: .whole("gone"), message: "no such file"),
            ]) == """
                warning[unreadable]: no such file
                  --> gone

                error[unknown-field]: spec.podSelctor: unknown field
                  --> p.yaml:3:3
                   |
                 3 |   podSelctor: {}
                   |   ^~~~~~~~~~
                   = help: did you mean "podSelector"?


                """)
    }

    @Test("Colours and bold are there only if asked for")
    func colours() {
        let diagnostic = [Diagnostic(id: .conflict, location: nil, message: "x", hint: "y")]
        let plain = ExcerptRenderer(style: TextStyle(isColoured: false), width: 80) { _ in nil }.render(diagnostic)
        let coloured = ExcerptRenderer(style: TextStyle(isColoured: true), width: 80) { _ in nil }.render(diagnostic)
        #expect(!plain.contains("\u{1b}"))
        #expect(coloured.contains("\u{1b}[31m"))
        #expect(coloured.replacing(/\x1b\[\d+m/, with: "") == plain)
    }

    @Test(
        "The mark is as long as the value",
        arguments: [
            ("  port: 8080", 9, "        ^~~~"), ("key: \"a \\\" b\" # no", 6, "     ^~~~~~~~"),
            ("a: 'x' ", 4, "   ^~~"),
            ("name: some text # a comment", 7, "      ^~~~~~~~~"), ("{a: bc, d: e}", 5, "    ^~"),
            ("[{a: 1}, 2]", 2, " ^~~~~~"),
            ("cidr: fd00::/8", 7, "      ^~~~~~~~"), ("podSelector:", 1, "^~~~~~~~~~~"), ("x", 9, " ^"), ("", 1, "^"),
            ("[a, [b", 5, "    ^~"),
        ])
    func marks(_ line: String, _ column: Int, _ mark: String) {
        #expect(excerpt(line, column) == [line, mark])
    }

    @Test("Tabs become spaces, and the mark stays under its value")
    func tabs() {
        #expect(excerpt("\tab:\tx", 6) == ["    ab: x", "        ^"])
    }

    @Test("Control characters are escaped; wide and combining ones count with their width")
    func characters() {
        #expect(excerpt("a\u{1b}[31m: x", 9) == ["a\\u{1b}[31m: x", "             ^"])
        #expect(excerpt("日本: x", 5) == ["日本: x", "      ^"])
        #expect(excerpt("e\u{301}: x", 5) == ["e\u{301}: x", "   ^"])
    }

    @Test("A long line is cut around the value")
    func longLines() {
        let line = String(repeating: "a", count: 200) + ": value" + String(repeating: " b", count: 200)
        let cut = excerpt(line, 203, width: 40)
        #expect(cut[0].count <= 40)
        #expect(cut[0].hasPrefix("...") && cut[0].hasSuffix("..."))
        let mark = cut[1].firstIndex(of: "^").map { cut[1].distance(from: cut[1].startIndex, to: $0) } ?? 0
        #expect(cut[0].dropFirst(mark).hasPrefix("value"))
        #expect(cut[1].count <= 40)
        let start = excerpt(line, 1, width: 40)
        #expect(start[0].hasPrefix("aaa") && start[1].hasPrefix("^"))
    }

    @Test("One line of megabytes costs a window of it")
    func hugeLine() throws {
        let text = SourceText(
            Array((String(repeating: "é", count: 1_000_000) + "x" + String(repeating: "y", count: 3000)).utf8))
        let part = try #require(text.line(1, around: 1_000_001))
        #expect(part.text.count < 2100)
        #expect(Array(part.text)[part.column - 1] == "x")
        #expect(text.line(2, around: 1) == nil)
        #expect(text.line(0, around: 1) == nil)
    }

    @Test("Lines are found with any line end, also after a byte order mark")
    func lines() {
        let text = SourceText([0xef, 0xbb, 0xbf] + Array("a: 1\r\nb: 2\n".utf8))
        #expect(text.line(1, around: 1)?.text == "a: 1")
        #expect(text.line(2, around: 4)?.text == "b: 2")
        #expect(text.line(3, around: 1)?.text == "")
    }
}
