import NetpoldTestSupport
import Testing

@testable import PolicyAPI
@testable import PolicyAnalysis
@testable import PolicyIR

@Suite("Explanations of requests")
struct RequestExplanationTests {
    private func explain(
        _ from: String = "shop/web", _ to: String, _ traffic: String, _ request: L7Request?
    ) throws -> DecisionExplanation {
        let decoded = decode(RequestManifests.text)
        #expect(decoded.errors == [])
        let name = try #require(TrafficName(parsing: traffic))
        let flow = Flow(
            from: try #require(FlowEnd(parsing: from)), to: try #require(FlowEnd(parsing: to)),
            protocol: name.protocol, port: name.port)
        return try evaluator(decoded.objects).explain(flow, request: request)
    }

    @Test("an allowed request lists the rule of each end, with its location")
    func permitted() throws {
        let lines = try explain("shop/web", "shop/db", "80/TCP", .http(HTTPRequest(path: "/api/x"))).request?.lines
        #expect(
            lines == [
                "GET /api/x: allow", "  egress of shop/web: allowed by",
                "    CiliumNetworkPolicy shop/web spec.egress[0].toPorts[0].rules.http[0] (p.yaml:26:11)",
                "    then REPLACE X-From: web", "  ingress of shop/db: allowed by",
                "    CiliumNetworkPolicy shop/db spec.ingress[0].toPorts[0].rules.http[1] (p.yaml:46:11)",
            ])
    }

    @Test("a denied request names each rule, the nearest first, with the conditions that failed")
    func denied() throws {
        let request = HTTPRequest(path: "/public?x=1", headers: [.init("X-From", "job")])
        let lines = try explain("shop/web", "shop/db", "8080/TCP", .http(request)).request?.lines
        #expect(
            lines == [
                "GET /public?x=1: deny", "  ingress of shop/db: no rule allows it",
                "    CiliumNetworkPolicy shop/db spec.ingress[0].toPorts[0].rules.http[0] (p.yaml:45:11)",
                "      but path \"/public?x=1\" is not \"/public\" (the path includes the query string)",
                "    CiliumNetworkPolicy shop/db spec.ingress[0].toPorts[0].rules.http[1] (p.yaml:46:11)",
                "      but path \"/public?x=1\" does not match \"/api/.*\"",
                "      and header X-From is \"job\", not \"web\"",
            ])
    }

    @Test("a request of another kind lists the existing rules, once each")
    func otherKind() throws {
        let lines = try explain("shop/web", "shop/db", "8080/TCP", .serverName("a.b")).request?.lines
        #expect(
            lines == [
                "TLS to a.b: deny", "  ingress of shop/db: no rule allows it",
                "    CiliumNetworkPolicy shop/db spec.ingress[0].toPorts[0] (p.yaml:42:7)",
                "      but the rule matches HTTP requests, not TLS server names",
            ])
    }

    @Test("a field that Connection names, or that gateways alone read as the rule's, is denied as the proxy denies it")
    func fields() throws {
        let web = HTTPRequest.Header("X-From", "web")
        let named = HTTPRequest(path: "/api/x", headers: [.init("Connection", "close, x_from"), web])
        let explanation = try explain("shop/web", "shop/db", "80/TCP", .http(named))
        #expect(explanation.request?.isPermitted == false && explanation.request?.endedField == "x_from")
        #expect(
            explanation.request?.lines.prefix(3) == [
                "GET /api/x: deny",
                "  its Connection names x_from, which rules ask for or write: the next proxy takes that field out",
                "  egress of shop/web: allowed by",
            ])
        let other = HTTPRequest(path: "/api/x", headers: [.init("Connection", "close, X-Other"), web])
        #expect(try explain("shop/web", "shop/db", "8080/TCP", .http(other)).request?.isPermitted == true)
        let disguised = HTTPRequest(path: "/api/x", headers: [web, .init("X_From", "job")])
        let lines = try explain("shop/web", "shop/db", "8080/TCP", .http(disguised)).request?.lines
        #expect(
            lines?.last
                == "      but header X_From is read as X-From by gateways, so its server may see that one")
    }

    @Test("a path that can be written otherwise must be allowed in both forms, as by the proxy")
    func otherForm() {
        let origin = RuleOrigin(kind: "K", namespace: "n", name: "p", path: "")
        let matcher = L7Matcher([(0, .http([Located(HTTPRule(path: "/public/.*|//admin"))]), origin)])
        let request = L7Request.http(HTTPRequest(path: "//admin"))
        #expect(matcher.decide(request) == .denied)
        #expect(
            matcher.nearMisses(request, limit: 1).misses.map { $0.failed.map(\.text) }
                == [["path, which is also \"/admin\", does not match \"/public/.*|//admin\""]])
        #expect(matcher.decide(.http(HTTPRequest(path: "/public/%61"))).isPermitted)
    }

    @Test("without L7 rules a request has the verdict of its connection")
    func notAsked() throws {
        let request = L7Request.http(HTTPRequest())
        #expect(
            try explain("shop/web", "shop/any", "8080/TCP", request).request?.lines == [
                "GET /: allow", "  no L7 rule applies",
            ])
        #expect(
            try explain("shop/any", "shop/db", "80/TCP", request).request?.lines == [
                "GET /: deny", "  its connection is denied",
            ])
        #expect(try explain("shop/any", "shop/db", "80/TCP", nil).request == nil)
    }

    @Test(
        "each condition has its text",
        arguments: [
            (HTTPRule(method: "GET"), "method PUT is not \"GET\""),
            (HTTPRule(method: "GET|HEAD"), "method PUT does not match \"GET|HEAD\""),
            (HTTPRule(path: "/a/.*"), "path \"/b\" does not match \"/a/.*\""),
            (HTTPRule(host: "a.io"), "host \"b.io:80\" does not match \"a.io\""),
            (HTTPRule(headers: ["X-Missing"]), "header X-Missing is missing"),
            (HTTPRule(headers: ["X-Key: other"]), "header X-Key is \"v\", not \"other\""),
            (
                HTTPRule(headers: ["X-Key:v"]),
                "header X-Key:v is missing (no header has a colon in its name; write \"Name: value\")"
            ),
            (
                HTTPRule(headerMatches: [HeaderMatch(name: "X-Key", secret: "a/b")]),
                "the value of header X-Key is in a secret, and secrets are not read"
            ),
            (HTTPRule(path: "("), "path \"/b\" cannot match \"(\", which is not a valid pattern"),
        ])
    func words(rule: HTTPRule, words: String) {
        let origin = RuleOrigin(kind: "K", namespace: "n", name: "p", path: "")
        let matcher = L7Matcher([(0, .http([Located(rule)]), origin)])
        let request = HTTPRequest(method: "PUT", path: "/b", host: "b.io:80", headers: [.init("X-Key", "v")])
        #expect(matcher.nearMisses(.http(request), limit: 1).misses.map { $0.failed.map(\.text) } == [[words]])
    }
}
