import Testing

@testable import PolicyAPI

@Suite("Documents")
struct DocumentReaderTests {
    private func read(_ text: String, file: String = "a.yaml") -> DocumentReader.Output {
        DocumentReader.read(Array(text.utf8), file: file)
    }

    /// A document as one line of text.
    private func show(_ node: DocumentNode) -> String {
        switch node.content {
        case .null: return "null"
        case .list(let elements): return "[" + elements.map(show).joined(separator: ",") + "]"
        case .map(let members): return "{" + members.map { "\($0.key):\(show($0.value))" }.joined(separator: ",") + "}"
        case .scalar(let scalar):
            switch scalar.kind {
            case .string: return "'\(scalar.text)'"
            case .integer(let value): return "\(value)"
            case .number: return "n\(scalar.text)"
            case .boolean(let value): return "\(value)"
            }
        }
    }

    @Test(
        "Values have the types that Kubernetes gives them",
        arguments: [
            ("a: 80", "{a:80}"), ("a: '80'", "{a:'80'}"), ("a: -7", "{a:-7}"), ("a: 1.5", "{a:n1.5}"),
            ("a: 010", "{a:n010}"), ("a: 0x50", "{a:n0x50}"), ("a: 1_000", "{a:n1_000}"), ("a: 1e3", "{a:n1e3}"),
            ("a: 99999999999999999999", "{a:n99999999999999999999}"), ("a: 10.0.0.1", "{a:'10.0.0.1'}"),
            ("a: yes", "{a:true}"), ("a: Off", "{a:false}"), ("a: y", "{a:'y'}"), ("a: 'true'", "{a:'true'}"),
            ("a:", "{a:null}"), ("a: ~", "{a:null}"), ("a: ''", "{a:''}"), ("a: !!str 80", "{a:'80'}"),
            ("a: {}\nb: []", "{a:{},b:[]}"), ("a: |\n  x\n  y\n", "{a:'x\ny\n'}"), ("a: >-\n  x\n  y\n", "{a:'x y'}"),
            ("80: x", "{80:'x'}"), ("a: 0", "{a:0}"), ("a: 1-2", "{a:'1-2'}"), ("a: 0x", "{a:'0x'}"),
            ("a: .5", "{a:n.5}"), ("a: -", "{a:['-']}"),
        ])
    func types(_ text: String, _ expected: String) {
        // `a: -` is a list inside a map value on one line: no YAML.
        if text == "a: -" {
            #expect(!read(text).diagnostics.isEmpty)
        } else {
            #expect(read(text).documents.map(show) == [expected])
        }
    }

    @Test("Every value has line, column and path, in later documents too")
    func places() throws {
        let output = read(
            "# x\na: 1\n---\r\n\r\nspec:\r\n  ports:\r\n  - port: 80\r\n    x/y: ü\r\n...\n---\nb: {c: [1, 2]}\n")
        #expect(output.diagnostics.isEmpty)
        try #require(output.documents.count == 3)
        let port = try #require(output.documents[1]["spec"]?["ports"]?.elements?[0]["port"])
        #expect(port.location == SourceLocation(file: "a.yaml", line: 7, column: 11))
        #expect(port.path.description == "spec.ports[0].port")
        let slash = try #require(output.documents[1]["spec"]?["ports"]?.elements?[0]["x/y"])
        #expect(slash.path.description == "spec.ports[0][\"x/y\"]")
        let two = try #require(output.documents[2]["b"]?["c"]?.elements?[1])
        #expect(two.location.description == "a.yaml:11:12")
        #expect(two.path.description == "b.c[1]")
    }

    @Test("A broken document affects only itself, and is reported at its own line")
    func resync() {
        let output = read("a: 1\n---\nb: [1\nc: }\n---\nc: 3\n---\n\td: 4\n--- \ne: 5\n")
        #expect(output.documents.map(show) == ["{a:1}", "{c:3}", "{e:5}"])
        #expect(output.diagnostics.count == 2)
        #expect(output.diagnostics.compactMap(\.location?.line) == [4, 8])
    }

    @Test("Directives stay with their document")
    func directives() {
        let output = read("%YAML 1.1\n---\na: 1\n...\n%YAML 1.1\n# c\n---\nb: 2\n")
        #expect(output.diagnostics == [])
        #expect(output.documents.map(show) == ["{a:1}", "{b:2}"])
    }

    @Test("A key written twice is one error each, and the document is marked")
    func duplicates() {
        let output = read("a: 1\na: 2\nb: {c: 1, c: 2}\n---\nd: 1\n")
        #expect(output.diagnostics.map(\.id) == [.duplicateKey, .duplicateKey])
        #expect(output.documents.map(\.isFaulty) == [true, false])
        #expect(output.documents.map(show) == ["{a:1,b:{c:1}}", "{d:1}"])
        let many = (0..<40).map { "k\($0): 1\n" }.joined() + "k3: 2\nk30: 2\n"
        #expect(read(many).diagnostics.count == 2)
    }

    @Test("Aliases are expanded with their own paths, and merge keys applied")
    func aliases() throws {
        let output = read("x: &a {k: 1, l: 2}\ny: *a\nz:\n  <<: *a\n  l: 3\n")
        #expect(output.diagnostics == [])
        #expect(output.documents.map(show) == ["{x:{k:1,l:2},y:{k:1,l:2},z:{l:3,k:1}}"])
        #expect(output.documents[0]["y"]?["k"]?.path.description == "y.k")
        #expect(output.documents[0]["z"]?["k"]?.path.description == "z.k")
        #expect(output.documents[0]["y"]?["k"]?.location.line == 1)
    }

    /// Documents that must cost little, by name.
    private static let excesses: [String: String] = [
        "flow lists": String(repeating: "[", count: 100_000),
        "flow maps": String(repeating: "{a: ", count: 100_000),
        "block lists": String(repeating: "- ", count: 100_000),
        "block maps": (0..<200).map { String(repeating: " ", count: $0) + "a:\n" }.joined(),
        "an alias bomb": "a: &n0 [x,x,x,x,x,x,x,x,x]\n"
            + (0..<9).map { "b\($0): &n\($0 + 1) [\(Array(repeating: "*n\($0)", count: 9).joined(separator: ","))]\n" }
            .joined(),
        "many aliases": "a: &a 1\n" + (0..<2_000).map { "k\($0): *a\n" }.joined(),
        "an alias of itself": "a: &a [*a]",
        "a list as key": "? [a]\n: b",
        "an alias as key": "a: &a [1]\n*a : 2",
    ]

    @Test("Excessive size, depth or expansion is one error", arguments: excesses.keys.sorted())
    func limits(_ name: String) throws {
        let output = read(try #require(DocumentReaderTests.excesses[name]))
        #expect(output.documents.isEmpty)
        #expect(output.diagnostics.count == 1)
    }

    @Test("Deep JSON and long JSON lines are read in bounds")
    func jsonLimits() {
        #expect(read(String(repeating: "[", count: 100_000), file: "a.json").diagnostics.map(\.id) == [.limit])
        let line = "[" + Array(repeating: "{\"a\":\"ü\"}", count: 100_000).joined(separator: ",") + "]"
        let output = read(line, file: "a.json")
        #expect(output.documents.first?.elements?.last?["a"]?.location.column == 1 + 99_999 * 10 + 1 + 5)
    }

    @Test(
        "JSON is read strictly",
        arguments: [
            (#"{"a": "\ud83d\ude00\u0041\n\/", "b": [1, -2.5e3, true, null]}"#, "{a:'😀A\n/',b:[1,n-2.5e3,true,null]}"),
            ("{\"a\"\t:\t1}\n", "{a:1}"), ("\u{feff}{\"a\":1}", "{a:1}"), ("-0", "0"), ("[ ]", "[]"), ("{ }", "{}"),
        ])
    func json(_ text: String, _ expected: String) {
        let output = read(text, file: "a.json")
        #expect(output.diagnostics == [])
        #expect(output.documents.map(show) == [expected])
    }

    @Test(
        "Invalid JSON is refused",
        arguments: [
            "{\"a\":1,}", "{a:1}", "[1 2]", "01", "-", "1.", "1e", "\"\\ud83d\"", "\"\\ude00\"", "\"\\x\"",
            "\"a\u{0}b\"", "\"\t\"",
            "tru", "{\"a\"}", "{\"a\":1", "\"", "[1]]", "nul", "+1", "\u{b}1",
        ])
    func badJSON(_ text: String) {
        let output = read(text, file: "a.json")
        #expect(output.diagnostics.map(\.id) == [.syntax])
    }

    @Test("A file of JSON values one after the other holds several documents")
    func jsonStream() {
        #expect(read("{\"a\":1}\n{\"b\":2}", file: "-").documents.map(show) == ["{a:1}", "{b:2}"])
        #expect(read("{a: 1}\n---\n{\"b\": 2}\n", file: "-").documents.map(show) == ["{a:1}", "{b:2}"])
    }

    @Test(
        "Bytes that are not text are refused, and hide nothing", arguments: [[UInt8(0)], [0xff], [0x1b], [0xc3, 0x28]])
    func notText(_ bytes: [UInt8]) {
        for file in ["a.yaml", "a.json"] {
            let output = DocumentReader.read(Array("{\"a\": \"".utf8) + bytes + Array("\"}".utf8), file: file)
            #expect(output.documents.isEmpty)
            #expect(output.diagnostics.map(\.id) == [.syntax])
        }
        let output = DocumentReader.read(Array("a: 1\n".utf8) + bytes + Array("\n---\nb: 2\n".utf8), file: "a.yaml")
        #expect(output.documents.map(show) == ["{b:2}"])
        #expect(output.diagnostics.first?.location?.line == 2)
    }

    @Test("An input over the size limit is refused whole")
    func tooBig() {
        let output = DocumentReader.read(
            Array(repeating: UInt8(ascii: "a"), count: DocumentLimits.bytes + 1), file: "a")
        #expect(output.diagnostics.map(\.id) == [.limit])
    }

    @Test("Empty input gives nothing", arguments: ["", "\n", "---\n", "# x\n---\n---\n...\n", "\u{feff}"])
    func empty(_ text: String) {
        let output = read(text)
        #expect(output.documents.isEmpty)
        #expect(output.diagnostics == [])
    }
}
