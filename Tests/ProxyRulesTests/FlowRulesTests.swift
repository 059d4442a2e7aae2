import HTTPScan
import PolicyAPI
import PolicyIR
import Testing

@testable import ProxyRules

@Suite("Rules of a flow")
struct FlowRulesTests {
    private func side(_ rules: HTTPRule...) -> CompiledSide {
        CompiledSide(
            rules.enumerated().map { index, rule in
                CompiledRule(
                    rule,
                    origin: RuleOrigin(
                        kind: "CiliumNetworkPolicy", namespace: "shop", name: "api", path: "http[\(index)]",
                        location: SourceLocation(file: "api.yaml", line: index + 1, column: 3)))
            })
    }

    private let get = HTTPRule(method: "GET")

    @Test("each end that has rules must allow; an end without rules is not asked; no end is no permission")
    func bothEnds() throws {
        let request = try RequestBytes("GET /a HTTP/1.1\r\nHost: a\r\n\r\n")
        let put = side(HTTPRule(method: "PUT"))
        #expect(request.decide(FlowRules(egress: side(get), ingress: nil)).isPermitted)
        #expect(request.decide(FlowRules(egress: nil, ingress: side(get))).isPermitted)
        #expect(request.decide(FlowRules(egress: side(get), ingress: side(get))).isPermitted)
        #expect(!request.decide(FlowRules(egress: side(get), ingress: put)).isPermitted)
        #expect(!request.decide(FlowRules(egress: put, ingress: side(get))).isPermitted)
        #expect(!request.decide(FlowRules(egress: nil, ingress: nil)).isPermitted)
        #expect(!request.decide(FlowRules(egress: CompiledSide([]), ingress: nil)).isPermitted)
    }

    @Test("an unrestricted flow passes only where no end has rules")
    func unrestricted() throws {
        let request = try RequestBytes("GET /a HTTP/1.1\r\nHost: a\r\n\r\n")
        let put = side(HTTPRule(method: "PUT"))
        #expect(request.decide(FlowRules(egress: nil, ingress: nil, isUnrestricted: true)).isPermitted)
        #expect(!request.decide(FlowRules(egress: put, ingress: nil, isUnrestricted: true)).isPermitted)
        #expect(!request.decide(FlowRules(egress: nil, ingress: put, isUnrestricted: true)).isPermitted)
    }

    @Test("a denied request has the rule that came nearest, its place, and what it fails")
    func nearest() throws {
        let rules = side(
            HTTPRule(method: "PUT", path: "/b", headers: ["X"]), HTTPRule(method: "GET", path: "/b"),
            HTTPRule(path: "/c"))
        let request = try RequestBytes("GET /a HTTP/1.1\r\nHost: a\r\n\r\n")
        guard case .denied(let rule?, let failed) = request.decide(rules) else {
            Issue.record("it is not denied")
            return
        }
        #expect(rule.origin.description == "CiliumNetworkPolicy shop/api http[1] (api.yaml:2:3)")
        #expect(failed == .path && failed.text == "path")
        let other = try RequestBytes("PUT /x HTTP/1.1\r\nHost: a\r\n\r\n")
        guard case .denied(_, let twice) = other.decide(side(HTTPRule(method: "GET", path: "/b", host: "a"))) else {
            return
        }
        #expect(twice.text == "method+path")
    }

    @Test("the receiver's rules are asked about the request after the sender's actions")
    func actionsBetween() throws {
        let sender = side(HTTPRule(headerMatches: [HeaderMatch(name: "X-Env", value: "prod", mismatch: "REPLACE")]))
        let receiver = side(HTTPRule(headers: ["X-Env: prod"]))
        let request = try RequestBytes("GET /a HTTP/1.1\r\nHost: a\r\nX-Env: test\r\nA: b\r\n\r\n")
        let answer = request.decide(FlowRules(egress: sender, ingress: receiver))
        #expect(answer.isPermitted)
        #expect(answer.rewritten == Array("GET /a HTTP/1.1\r\nHost: a\r\nA: b\r\nX-Env: prod\r\n\r\n".utf8))
        #expect(!request.decide(FlowRules(egress: nil, ingress: receiver)).isPermitted)
    }

    @Test(
        "actions that would make another message of the request deny it",
        arguments: [
            HeaderMatch(name: "Content-Length", value: "3", mismatch: "REPLACE"),
            HeaderMatch(name: "Content-Length", value: "3", mismatch: "ADD"),
            HeaderMatch(name: "Transfer-Encoding", value: "chunked", mismatch: "ADD"),
            HeaderMatch(name: "Content-Length", value: "4", mismatch: "DELETE"),
            HeaderMatch(name: "Connection", value: "close", mismatch: "ADD"),
            HeaderMatch(name: "Host", value: "a b", mismatch: "REPLACE"),
            HeaderMatch(name: "X", value: "y\r\nZ: 1", mismatch: "ADD"),
            HeaderMatch(name: "X:", value: "y", mismatch: "ADD"),
        ])
    func breakingActions(match: HeaderMatch) throws {
        let request = try RequestBytes("POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n")
        let answer = request.decide(FlowRules(egress: nil, ingress: side(HTTPRule(headerMatches: [match]))))
        #expect(!answer.isPermitted)
    }

    @Test(
        "a path with another form must be allowed in both: /public/.* does not lend itself to /admin",
        arguments: [
            ("/public//x", "/public/.*", true), ("//admin", "//admin", false), ("//admin", "/+admin", true),
            ("/%61dmin", "/[^a].*", false), ("/a%2Fb", "/a[^/]*", false), ("/a%2Fb", "/a.*", true),
            ("/%70ublic", "/public", false),
        ])
    func otherForms(path: String, pattern: String, isPermitted: Bool) throws {
        let request = try RequestBytes("GET \(path) HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(request.decide(side(HTTPRule(path: pattern))).isPermitted == isPermitted)
    }

    @Test("both forms may be allowed by different rules")
    func twoRules() throws {
        let request = try RequestBytes("GET /a%2Fb HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(request.decide(side(HTTPRule(path: "/a%2Fb"), HTTPRule(path: "/a/b"))).isPermitted)
        #expect(!request.decide(side(HTTPRule(path: "/a%2Fb"))).isPermitted)
    }

    @Test("an offer of HTTP/2 is taken out, and close put in, with the other options kept")
    func ending() throws {
        let request = try RequestBytes(
            "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, TE ,HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AA\r\nTE: trailers\r\n\r\n"
        )
        let plain = HeadRewriting.ending(request.bytes.span, request.head, close: false, withoutHTTP2: true)
        #expect(
            String(decoding: plain, as: UTF8.self)
                == "GET / HTTP/1.1\r\nHost: a\r\nTE: trailers\r\nConnection: TE\r\n\r\n")
        let kept = try RequestBytes("GET / HTTP/1.1\r\nConnection: keep-alive\r\nHost: a\r\nContent-Length: 3\r\n\r\n")
        let closed = HeadRewriting.ending(kept.bytes.span, kept.head, close: true, withoutHTTP2: false)
        #expect(
            String(decoding: closed, as: UTF8.self)
                == "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nConnection: close\r\n\r\n")
    }
}
