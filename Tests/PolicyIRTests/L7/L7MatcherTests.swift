import Testing

@testable import PolicyAPI
@testable import PolicyIR

@Suite("L7 rules of a flow")
struct L7MatcherTests {
    private func origin(_ path: String) -> RuleOrigin {
        RuleOrigin(kind: "CiliumNetworkPolicy", namespace: "shop", name: "p", path: path)
    }

    private func matcher(_ matches: L7Match...) -> L7Matcher {
        L7Matcher(matches.enumerated().map { ($0, $1, origin("rule\($0)")) })
    }

    private func http(_ rules: HTTPRule...) -> L7Match {
        .http(rules.enumerated().map { Located($1, path: "http[\($0)]") })
    }

    private func paths(_ answer: L7Answer) -> [String]? {
        guard case .permitted(let origins, _) = answer else { return nil }
        return origins.map(\.path)
    }

    @Test("rules are a union: the first that matches permits and is named")
    func union() {
        let rules = matcher(http(HTTPRule(method: "GET"), HTTPRule(path: "/a")), http(HTTPRule(method: "PUT")))
        #expect(paths(rules.decide(.http(HTTPRequest(method: "GET", path: "/a")))) == ["http[0]"])
        #expect(paths(rules.decide(.http(HTTPRequest(method: "POST", path: "/a")))) == ["http[1]"])
        #expect(paths(rules.decide(.http(HTTPRequest(method: "PUT", path: "/b")))) == ["http[0]"])
        #expect(rules.decide(.http(HTTPRequest(method: "POST", path: "/b"))) == .denied)
    }

    @Test("an empty rule matches every request, an empty list none (spec/cilium 10.1)")
    func empty() {
        #expect(matcher(http(HTTPRule())).decide(.http(HTTPRequest(method: "BREW"))).isPermitted)
        #expect(matcher(http()).decide(.http(HTTPRequest())) == .denied)
    }

    @Test("with a header action among the rules all of them are asked, each action is taken once (19, row 111)")
    func actions() {
        let log = HeaderMatch(name: "X", value: "v", mismatch: "LOG")
        let rules = matcher(
            http(HTTPRule(), HTTPRule(method: "GET", headerMatches: [log])), http(HTTPRule(headerMatches: [log])))
        let answer = rules.decide(.http(HTTPRequest()))
        #expect(paths(answer) == ["http[0]", "http[1]", "http[0]"])
        guard case .permitted(_, let actions) = answer else {
            Issue.record("\(answer)")
            return
        }
        #expect(actions == [HeaderAction(.log, name: "X", value: "v")])
    }

    @Test("a request of a kind that no rule matches is denied")
    func kinds() {
        let names = L7Match.dns([Located(.pattern("*"))])
        let servers = L7Match.serverNames([Located("*")])
        let all: [(L7Match, L7Request)] = [
            (http(HTTPRule()), .http(HTTPRequest())), (names, .dns("a.b")), (servers, .serverName("a.b")),
        ]
        for (index, (rule, _)) in all.enumerated() {
            for (other, (_, request)) in all.enumerated() {
                #expect(matcher(rule).decide(request).isPermitted == (index == other), "\(request)")
            }
        }
        #expect(matcher(http(HTTPRule()), names).decide(.dns("a.b")).isPermitted)
    }

    @Test(
        "DNS rules match names in any case, with or without final dot (spec/cilium 11, 12.2; 19, rows 88-95)",
        arguments: [
            (.name("cilium.io"), "CILIUM.io.", true), (.name("cilium.io"), "ciliumXio.", false),
            (.name("cilium.io"), "www.cilium.io", false), (.pattern("*.cilium.io"), "cilium.io.", false),
            (.pattern("*.cilium.io"), "a.cilium.io", true), (.pattern("*.cilium.io"), "a.b.cilium.io.", false),
            (.pattern("*cilium.io"), "cilium.io.", true), (.pattern("*cilium.io"), "subcilium.io.", true),
            (.pattern("*cilium.io"), "www.cilium.io.", false), (.pattern("**.cilium.io"), "test.app.cilium.io.", true),
            (.pattern("**.cilium.io"), "cilium.io.", false), (.pattern("**.*.cilium.io"), "foo.cilium.io.", false),
            (.pattern("**.*.cilium.io"), "_a._tcp.cilium.io.", true),
            (.pattern("a.**.cilium.io"), "a.b.cilium.io", true),
            (.pattern("a.**.cilium.io"), "a.b.c.cilium.io", false), (.pattern("sub*.x.io"), "sub.x.io", true),
            (.pattern("*"), ".", true), (.pattern("*"), "we?rd name", true), (.pattern("**"), "a.b.c", true),
            (.pattern("*.io"), "we?rd.io", false),
            // Only ASCII letters have two cases: the Kelvin sign is no k.
            (.name("k.io"), "\u{212a}.io", false), (.name("a.io"), " a.io", false),
        ] as [(FQDNSelector, String, Bool)])
    func dns(selector: FQDNSelector, name: String, matches: Bool) {
        #expect(matcher(.dns([Located(selector)])).decide(.dns(name)).isPermitted == matches)
    }

    @Test(
        "server names match as patterns; a ClientHello without one matches none (spec/cilium 10.4; 19, row 112)",
        arguments: [
            ("a.io", "a.io", true), ("a.io", "A.IO", true), ("a.io", "b.a.io", false), ("a.io.", "a.io", true),
            ("*.a.io", "b.a.io", true), ("*.a.io", "c.b.a.io", false), ("*.a.io", "a.io", false),
            ("**.a.io", "c.b.a.io", true), ("**.a.io", "a.io", false), ("***.a.io.", "c.b.a.io", true),
            ("x**.a.io", "xyz.a.io", true), ("x**.a.io", "x.y.a.io", false), ("*", "c.b.a.io", true), ("*", "", false),
        ])
    func serverName(pattern: String, name: String, matches: Bool) {
        #expect(matcher(.serverNames([Located(pattern)])).decide(.serverName(name)).isPermitted == matches)
    }
}
