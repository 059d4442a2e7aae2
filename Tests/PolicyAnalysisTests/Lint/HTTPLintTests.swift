import Testing

@testable import PolicyAPI
@testable import PolicyAnalysis

@Suite("Lint: HTTP rules that no request matches")
struct HTTPLintTests {
    private func found(_ rule: String) -> [String] {
        let text = """
            apiVersion: cilium.io/v2
            kind: CiliumNetworkPolicy
            metadata: {name: p, namespace: shop}
            spec:
              endpointSelector: {}
              ingress:
                - toPorts:
                    - ports: [{port: "8080", protocol: TCP}]
                      rules: {http: [\(rule)]}
            """
        // The path of the rule is long and the same for all.
        return lint(text, .httpNeverMatches).map { String($0.split(separator: "http[0].").last ?? "") }
    }

    @Test(
        "A value that no request has is reported, with what to write",
        arguments: [
            ("{method: get}", "method: methods are upper case, so \"get\" matches no request; write GET"),
            ("{method: GET|post}", "method: methods are upper case, so \"post\" matches no request; write POST"),
            (
                "{method: GET /v1}",
                "method: \"GET /v1\" matches no method; write one such as GET; path and host are fields of their own"
            ),
            ("{path: v1}", "path: a path begins with /, so \"v1\" matches no request; write \"/v1\""),
            ("{path: \"/a|b/.*\"}", "path: a path begins with /, so \"b/.*\" matches no request; write \"/b/.*\""),
            (
                "{path: \"https://a/v1\"}",
                "path: a path begins with /, so \"https://a/v1\" matches no request; write the path alone; the host is a field of its own"
            ),
            (
                "{path: \"/v1/*\"}",
                "path: in \"/v1/*\" the * stands for more of \"/\", not for any text; write .* for any text: \"/v1/.*\""
            ),
            (
                "{path: \"/v1/*/items\"}",
                "path: in \"/v1/*/items\" the * stands for more of \"/\", not for any text; write .* for any text: \"/v1/.*/items\""
            ),
            (
                "{host: api.example.com/}",
                "host: a host has no /, so \"api.example.com/\" matches no request; write the host alone; the path is a field of its own"
            ),
        ])
    func reported(_ rule: String, _ expected: String) {
        #expect(found(rule) == [expected])
    }

    @Test(
        "What some request may match is not reported",
        arguments: [
            "{}", "{method: GET}", "{method: \"GET|HEAD\"}", "{method: \"(?i)get\"}", "{method: \"[a-zA-Z]+\"}",
            "{method: \"x?GET\"}", "{method: M-SEARCH}", "{path: /}", "{path: \"/v1/.*\"}", "{path: \".*\"}",
            "{path: \"^/v1$\"}", "{path: \"(/a|/b)\"}", "{path: \"(a|/b)\"}", "{path: \"x*/v1\"}",
            "{path: \"a{0,3}/v1\"}",
            "{path: \"\\\\/v1\"}", "{path: \"[^x]v1\"}", "{path: \"/v1/*$\"}", "{path: \"/v1(/.*)?\"}",
            "{path: \"\\\\x2fv1\"}", "{path: \"/api/v[0-9]+/*\"}", "{host: \"api\\\\.example\\\\.com(:[0-9]+)?\"}",
            "{host: \"(https://)?a\"}", "{host: \"a/?\"}", "{headers: [\"X-Token true\"]}",
        ])
    func silent(_ rule: String) {
        #expect(found(rule) == [])
    }

    @Test(
        "What a pattern begins with and requires",
        arguments: [
            ("ab", .character("a"), "ab"), ("a?b", .other, "b"), ("", .nothing, ""),
            ("^a+?b{2}c{0,1}$", .character("a"), "ab"), ("[]a]b", .other, "b"), ("[[:alpha:]\\]]x", .other, "x"),
            ("(?:a|(b))c", .other, "c"), ("\\.a", .character("."), ".a"), ("\\da", .other, "a"),
            ("a{x", .character("a"), "a{x"),
        ] as [(String, PatternAlternatives.Beginning, String)])
    func pattern(_ text: String, _ beginning: PatternAlternatives.Beginning, _ required: String) {
        let alternatives = PatternAlternatives(text).all
        #expect(alternatives.map(\.beginning) == [beginning])
        #expect(alternatives.map { String($0.required) } == [required])
    }
}
