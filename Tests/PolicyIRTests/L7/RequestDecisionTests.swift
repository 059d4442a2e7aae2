import Testing

@testable import PolicyAPI
@testable import PolicyAnalysis
@testable import PolicyIR

@Suite("Requests between pods")
struct RequestDecisionTests {
    /// shop/web (egress by `web`), shop/db (ingress by `db`), shop/any (ingress: rules beside a plain allow).
    private static let manifests = """
        apiVersion: v1
        kind: Pod
        metadata: {name: web, namespace: shop, labels: {app: web}}
        status: {podIP: 10.0.0.1}
        ---
        apiVersion: v1
        kind: Pod
        metadata: {name: db, namespace: shop, labels: {app: db}}
        status: {podIP: 10.0.0.2}
        ---
        apiVersion: v1
        kind: Pod
        metadata: {name: any, namespace: shop, labels: {app: any}}
        status: {podIP: 10.0.0.3}
        ---
        apiVersion: cilium.io/v2
        kind: CiliumNetworkPolicy
        metadata: {name: web, namespace: shop}
        spec:
          endpointSelector: {matchLabels: {app: web}}
          egress:
          - toPorts:
            - ports: [{port: "80", protocol: TCP}]
              rules:
                http:
                - method: GET
                  headerMatches: [{name: X-From, value: web, mismatch: REPLACE}]
            - ports: [{port: "53", protocol: UDP}]
              rules: {dns: [{matchPattern: "*.shop.svc.cluster.local"}]}
            - ports: [{port: "443", protocol: TCP}]
              serverNames: ["*.example.com"]
          - toPorts: [{ports: [{port: "8080", protocol: TCP}]}]
        ---
        apiVersion: cilium.io/v2
        kind: CiliumNetworkPolicy
        metadata: {name: db, namespace: shop}
        spec:
          endpointSelector: {matchLabels: {app: db}}
          ingress:
          - fromEndpoints: [{matchLabels: {app: web}}]
            toPorts:
            - ports: [{port: "80", protocol: TCP}, {port: "8080", protocol: TCP}]
              rules:
                http:
                - path: /public
                - {path: "/api/.*", headers: ["X-From: web"]}
        ---
        apiVersion: cilium.io/v2
        kind: CiliumNetworkPolicy
        metadata: {name: any, namespace: shop}
        spec:
          endpointSelector: {matchLabels: {app: any}}
          ingress:
          - toPorts:
            - ports: [{port: "8080", protocol: TCP}]
              rules: {http: [{method: GET}]}
          - fromEndpoints: [{matchLabels: {app: web}}]
        """

    private func explain(
        _ from: String = "shop/web", _ to: String, _ traffic: String, _ request: L7Request?
    ) throws -> DecisionExplanation {
        let decoded = decode(RequestDecisionTests.manifests)
        #expect(decoded.errors == [])
        let name = try #require(TrafficName(parsing: traffic))
        let flow = Flow(
            from: try #require(FlowEnd(parsing: from)), to: try #require(FlowEnd(parsing: to)),
            protocol: name.protocol, port: name.port)
        return try evaluator(decoded.objects).explain(flow, request: request)
    }

    @Test(
        "both ends must permit, each by its own list; the receiver sees what the sender's proxy made of the request",
        arguments: [
            ("shop/web", "shop/db", "80/TCP", "GET", "/public", true),
            // The sender's list has no PUT, the receiver's no /private.
            ("shop/web", "shop/db", "80/TCP", "PUT", "/public", false),
            ("shop/web", "shop/db", "80/TCP", "GET", "/private", false),
            // REPLACE at the sender gives the header that the receiver asks for; without a proxy there it is missing.
            ("shop/web", "shop/db", "80/TCP", "GET", "/api/x", true),
            ("shop/web", "shop/db", "8080/TCP", "GET", "/api/x", false),
            ("shop/web", "shop/db", "8080/TCP", "PUT", "/public", true),
            // Denied with its connection.
            ("shop/any", "shop/db", "80/TCP", "GET", "/public", false),
            // "A flow matched by a plain allow needs no proxy, even if another rule has L7 rules for it."
            ("shop/web", "shop/any", "8080/TCP", "PUT", "/", true),
            ("ip:192.0.2.1", "shop/any", "8080/TCP", "PUT", "/", false),
            ("ip:192.0.2.1", "shop/any", "8080/TCP", "GET", "/", true),
        ])
    func both(from: String, to: String, traffic: String, method: String, path: String, passes: Bool) throws {
        let explanation = try explain(from, to, traffic, .http(HTTPRequest(method: method, path: path)))
        #expect(explanation.request?.isPermitted == passes, "\(explanation.lines.map(\.text))")
    }

    @Test(
        "queries and server names are decided by the rules of their port",
        arguments: [
            ("53/UDP", L7Request.dns("db.shop.svc.cluster.local"), true), ("53/UDP", .dns("example.com"), false),
            // The rules of 53/UDP do not speak about 53/TCP: no connection (19, row 96).
            ("53/TCP", .dns("db.shop.svc.cluster.local"), false), ("443/TCP", .serverName("api.example.com"), true),
            ("443/TCP", .serverName("example.com"), false), ("443/TCP", .serverName(""), false),
            ("443/TCP", .http(HTTPRequest()), false), ("53/UDP", .http(HTTPRequest()), false),
        ])
    func names(traffic: String, request: L7Request, passes: Bool) throws {
        #expect(try explain("shop/web", "ip:192.0.2.1", traffic, request).request?.isPermitted == passes)
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
