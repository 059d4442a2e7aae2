import Testing

@testable import PolicyIR

@Suite("Syntax of names and patterns")
struct SyntaxTests {
    @Test(
        "RE2 patterns are accepted",
        arguments: [
            "", "GET|HEAD", "/a/.*", "^/x$", "[a-z]+", "[^]a]", "[]a]", "[a-]", "a{2}", "a{2,}", "a{2,3}?", "a{",
            "a{,3}", "{", "(?i)abc", "(?i-s:a)",
            "(?P<name>a)", "(?<name>a)", "(?:a)", "\\d+\\.\\w", "\\x41\\x{1F600}", "\\pL\\p{Greek}\\P{^Lu}",
            "[[:alpha:]_]", "\\Qa+(b\\E*", "a|", "|a",
            "()", "\\101", "\\0", "\\-", ".*?", "[\\d\\-x]", "é+",
        ])
    func good(_ pattern: String) {
        #expect(RE2Syntax.problem(in: pattern) == nil)
    }

    @Test(
        "Patterns that RE2 refuses are refused",
        arguments: [
            "*", "+a", "a**", "a{2}{3}", "(", ")", "a)", "[", "[a", "[z-a]", "\\", "a{3,2}", "a{1001}", "(?=a)",
            "(?!a)", "(?<=a)", "(?<!a)", "\\1",
            "(?P=n)", "(?P<n", "\\k", "\\é", "[[:foo:]]", "\\p", "\\p{", "\\x4", "(?z)", "(|*)", "(?i)*", "\\xZZ",
            "[\\z]",
        ])
    func bad(_ pattern: String) {
        #expect(RE2Syntax.problem(in: pattern) != nil)
    }

    @Test("Deep and long patterns cost little")
    func big() {
        #expect(RE2Syntax.problem(in: String(repeating: "(", count: 100_000)) != nil)
        #expect(RE2Syntax.problem(in: String(repeating: "a{2}", count: 50_000)) == nil)
    }

    @Test(
        "The nearest name is found",
        arguments: [("ingres", "ingress"), ("Egress", "egress"), ("rgeess", "egress"), ("xyz", nil), ("", nil)]
            as [(String, String?)])
    func spelling(_ word: String, _ expected: String?) {
        #expect(Spelling.nearest(to: word, among: ["egress", "ingress", "policyTypes"]) == expected)
    }
}
