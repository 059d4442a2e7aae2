import Testing

@testable import PolicyAPI
@testable import PolicyIR

@Suite("HTTP rules")
struct HTTPRuleTests {
    private static let request = HTTPRequest(
        method: "PUT", path: "/api/v1?x=1", host: "shop.example.com:8080",
        headers: [.init("X-Token", "abc"), .init("x-debug", "1"), .init("Accept", "a"), .init("accept", "b")])

    private func actions(_ rule: HTTPRule, _ request: HTTPRequest = HTTPRuleTests.request) -> [HeaderAction]? {
        HTTPMatcher(rule).actions(on: request)
    }

    @Test(
        "every given field must match, an absent or empty one matches anything (spec/cilium 10.1)",
        arguments: [
            (HTTPRule(), true), (HTTPRule(method: "PUT"), true), (HTTPRule(method: "P.*"), true),
            (HTTPRule(method: "GET"), false), (HTTPRule(method: "put"), false),
            (HTTPRule(path: "/api/.*"), true), (HTTPRule(path: "/api/v1"), false),
            (HTTPRule(path: "/api/v1\\?x=1"), true), (HTTPRule(path: "/api"), false),
            (HTTPRule(host: "shop\\.example\\.com:8080"), true), (HTTPRule(host: "shop.example.com"), false),
            (HTTPRule(host: ".*\\.example\\.com(:[0-9]+)?"), true), (HTTPRule(host: "SHOP.*"), false),
            (HTTPRule(method: "PUT", path: "/api/.*", host: ".*", headers: ["X-Token: abc"]), true),
            (HTTPRule(method: "GET", path: "/api/.*", host: ".*", headers: ["X-Token: abc"]), false),
            (HTTPRule(method: "PUT", path: "/nothing"), false),
        ])
    func fields(rule: HTTPRule, matches: Bool) {
        #expect((actions(rule) != nil) == matches)
    }

    @Test(
        "a header is its name alone, or name and exact value after the first space",
        arguments: [
            ("X-Token", true), ("x-tOKEN", true), ("X-Other", false), ("X-Token: abc", true), ("X-Token abc", true),
            ("x-token:: abc", true), ("X-Token: ABC", false), ("X-Token: abcd", false), ("X-Token:  abc", false),
            ("X-Token: ", false), ("X-Token:abc", false), ("X-Token:", false), ("Accept: a,b", true),
            ("Accept: a", false),
            ("Host: shop.example.com:8080", true), ("Host: shop.example.com", false), ("Host", true),
        ])
    func headers(text: String, matches: Bool) {
        #expect((actions(HTTPRule(headers: [text])) != nil) == matches)
    }

    @Test("a header with an empty value is present, and its value is empty")
    func emptyValue() {
        let request = HTTPRequest(headers: [.init("X-Empty", "")])
        #expect(actions(HTTPRule(headers: ["X-Empty"]), request) == [])
        #expect(actions(HTTPRule(headers: ["X-Empty: "]), request) == [])
        #expect(actions(HTTPRule(headers: ["Host"]), request) == nil)
    }

    @Test(
        "headerMatches without mismatch ask for presence or the exact value",
        arguments: [
            (HeaderMatch(name: "X-Token"), true), (HeaderMatch(name: "X-Missing"), false),
            (HeaderMatch(name: "x-token", value: "abc"), true), (HeaderMatch(name: "X-Token", value: "ab"), false),
            (HeaderMatch(name: "X-Missing", value: ""), false),
        ])
    func matches(match: HeaderMatch, matches: Bool) {
        #expect((actions(HTTPRule(headerMatches: [match])) != nil) == matches)
    }

    @Test(
        "with LOG, ADD, DELETE or REPLACE the request passes, and the mismatch is acted on",
        arguments: [
            (HeaderMatch(name: "X-Token", value: "abc", mismatch: "LOG"), []),
            (HeaderMatch(name: "X-Token", value: "no", mismatch: "LOG"), ["LOG X-Token: no"]),
            (HeaderMatch(name: "X-Missing", value: "v", mismatch: "LOG"), ["LOG X-Missing: v"]),
            (HeaderMatch(name: "X-Token", value: "no", mismatch: "ADD"), ["ADD X-Token: no"]),
            (HeaderMatch(name: "X-Token", value: "no", mismatch: "DELETE"), ["DELETE X-Token"]),
            (HeaderMatch(name: "X-Missing", value: "no", mismatch: "DELETE"), []),
            (HeaderMatch(name: "X-Token", value: "no", mismatch: "REPLACE"), ["REPLACE X-Token: no"]),
            (HeaderMatch(name: "X-Missing", value: "v", mismatch: "REPLACE"), ["REPLACE X-Missing: v"]),
            // "With neither value nor secret: compared to the empty value."
            (HeaderMatch(name: "X-Token", mismatch: "DELETE"), ["DELETE X-Token"]),
            (HeaderMatch(name: "X-Missing", mismatch: "ADD"), ["ADD X-Missing: "]),
        ])
    func mismatch(match: HeaderMatch, expected: [String]) {
        #expect(actions(HTTPRule(headerMatches: [match]))?.map(\.description) == expected)
    }

    @Test("an action of a rule that does not match otherwise is not taken")
    func noMatch() {
        let log = HeaderMatch(name: "X-Token", value: "no", mismatch: "LOG")
        #expect(actions(HTTPRule(method: "GET", headerMatches: [log])) == nil)
        #expect(actions(HTTPRule(headerMatches: [log, HeaderMatch(name: "X-Missing")])) == nil)
    }

    @Test("a secret is not read: its fallback value counts, and without one the rule matches nothing (19, row 110)")
    func secret() {
        #expect(actions(HTTPRule(headerMatches: [HeaderMatch(name: "X-Token", secret: "a/b")])) == nil)
        #expect(actions(HTTPRule(headerMatches: [HeaderMatch(name: "X-Token", mismatch: "LOG", secret: "a/b")])) == nil)
        #expect(actions(HTTPRule(headerMatches: [HeaderMatch(name: "X-Token", value: "abc", secret: "a/b")])) == [])
        #expect(actions(HTTPRule(headerMatches: [HeaderMatch(name: "X-Token", value: "no", secret: "a/b")])) == nil)
    }

    @Test("a rule with an invalid pattern matches nothing, should one ever pass decoding")
    func broken() {
        #expect(actions(HTTPRule(path: "(")) == nil)
    }

    @Test("actions change the request that goes on, one after the other")
    func applied() {
        let changed = HTTPRuleTests.request.applying([
            HeaderAction(.log, name: "X-Token", value: "q"), HeaderAction(.add, name: "X-Debug", value: "2"),
            HeaderAction(.replace, name: "ACCEPT", value: "c"), HeaderAction(.delete, name: "x-token", value: ""),
            HeaderAction(.replace, name: "Host", value: "other"), HeaderAction(.delete, name: "Host", value: ""),
        ])
        #expect(changed.value(ofHeader: "x-debug") == "1,2")
        #expect(changed.value(ofHeader: "Accept") == "c")
        #expect(changed.value(ofHeader: "X-Token") == nil)
        #expect(changed.host == "other")
    }
}
