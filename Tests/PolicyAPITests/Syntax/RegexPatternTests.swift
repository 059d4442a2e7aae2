import Testing

@testable import PolicyAPI

@Suite("Regular expressions")
struct RegexPatternTests {
    @Test(
        "a pattern matches whole values only (spec/cilium 10.1)",
        arguments: [
            ("GET", "GET", true), ("GET", "GETX", false), ("GET", "XGET", false), ("GET|HEAD", "HEAD", true),
            ("GET|HEAD", "GETHEAD", false), ("^/path1$", "/path1", true), ("/path1$", "/path1/x", false),
            ("/public", "/public?x=1", false), ("/public(/.*)?(\\?.*)?", "/public?x=1", true), (".*", "", true),
            ("a.c", "a\nc", false), ("(?s)a.c", "a\nc", true), ("shop.example", "shopXexample", true),
            ("é+", "éé", true),
            ("(a+)+b", String(repeating: "a", count: 10_000), false), ("(?i)get", "GeT", true), ("a", "", false),
            ("a\\x00b", "a\u{0}b", true), ("a", "a\u{0}", false),
        ])
    func whole(pattern: String, text: String, matches: Bool) throws {
        #expect(try RegexPattern(pattern).matches(text) == matches)
    }

    @Test(
        "what RE2 knows is accepted",
        arguments: [
            "", "[^]a]", "[]a]", "[a-]", "a{2}", "a{2,}", "a{2,3}?", "a{", "a{,3}", "{", "(?i-s:a)", "(?P<name>a)",
            "(?:a)", "\\d+\\.\\w", "\\x41\\x{1F600}", "\\pL\\p{Greek}\\P{^Lu}", "[[:alpha:]_]", "\\Qa+(b\\E*", "a|",
            "()",
            "\\101", "\\-", ".*?", "[\\d\\-x]",
        ])
    func good(pattern: String) throws {
        #expect(try RegexPattern(pattern).text == pattern)
    }

    @Test(
        "what RE2 refuses is refused with RE2's words",
        arguments: [
            ("*", "no argument for repetition operator: *"), ("a**", "bad repetition operator: **"),
            ("(", "missing ): ("), (")", "unexpected ): )"), ("[z-a]", "invalid character class range: z-a"),
            ("\\", "trailing \\"), ("a{1001}", "invalid repetition size: {1001}"),
            ("(?=a)", "invalid perl operator: (?="), ("(?<!a)", "invalid"), ("\\1", "invalid escape sequence: \\1"),
            ("[[:foo:]]", "invalid character class range: [:foo:]"), ("\\pX", "invalid character class"),
        ])
    func bad(pattern: String, words: String) {
        let problem = #expect(throws: RegexPattern.Problem.self) { try RegexPattern(pattern) }
        guard case .syntax(let actual)? = problem else {
            Issue.record("\(pattern): \(String(describing: problem))")
            return
        }
        #expect(actual.hasPrefix(words))
    }

    @Test("length, program and nesting are bounded")
    func bounds() throws {
        #expect(throws: RegexPattern.Problem.tooLong(4_097)) { try RegexPattern(String(repeating: "a", count: 4_097)) }
        #expect(throws: RegexPattern.Problem.tooLarge) { try RegexPattern("(\\pL{30}){30}") }
        #expect(try RegexPattern(String(repeating: "a", count: 4_096)).matches(String(repeating: "a", count: 4_096)))
        #expect(try RegexPattern(".{1,400}").instructions * 16 <= RegexPattern.memory)
        #expect(throws: RegexPattern.Problem.self) { try RegexPattern(String(repeating: "(", count: 4_000)) }
    }

    @Test("an object's patterns are bounded together; the same pattern counts once")
    func budget() throws {
        var budget = RegexBudget()
        for _ in 0..<10_000 { try budget.check("GET") }
        let small = RegexBudget.instructions / RegexBudget.least
        for number in 1..<small { try budget.check("/\(number)") }
        #expect(throws: RegexBudget.Problem.self) { try budget.check("/one-more") }

        // The object is refused already: neither compiled nor reported again.
        try budget.check("(\\pL{30}){30}")

        var large = RegexBudget()
        var count = 0
        while (try? large.check("\(count).{1,400}")) != nil { count += 1 }
        #expect(count > 10 && count < 100, "\(count)")
    }

    @Test("one pattern serves many tasks at once")
    func concurrent() async throws {
        let pattern = try RegexPattern("(a|b)*a(a|b){8}")
        let answers = await withTaskGroup(of: Bool.self) { group in
            for number in 0..<200 {
                group.addTask {
                    let text = String((0..<64).map { (number >> ($0 % 8)) & 1 == 0 ? "a" : "b" })
                    let expected = Array(text)[64 - 9] == "a"
                    return pattern.matches(text) == expected
                }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(answers == Array(repeating: true, count: 200))
    }
}
