import NetpoldTestSupport
import PolicyAPI
import PolicyIR
import Testing

@Suite("Requests between pods")
struct RequestDecisionTests {
    /// Whether the connection and the request in it are allowed.
    private func isPermitted(_ from: String, _ to: String, _ traffic: String, _ request: L7Request) throws -> Bool {
        let decoded = decode(RequestManifests.text)
        #expect(decoded.errors == [])
        let name = try #require(TrafficName(parsing: traffic))
        let decision = try evaluator(decoded.objects).decide(
            Flow(
                from: try #require(FlowEnd(parsing: from)), to: try #require(FlowEnd(parsing: to)),
                protocol: name.protocol, port: name.port))
        var requests = RequestDecider()
        return decision.verdict != .deny && requests.decide(request, in: decision).isPermitted
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
        #expect(try isPermitted(from, to, traffic, .http(HTTPRequest(method: method, path: path))) == passes)
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
        #expect(try isPermitted("shop/web", "ip:192.0.2.1", traffic, request) == passes)
    }
}
