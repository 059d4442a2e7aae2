import Foundation
import PolicyAPI
import PolicyIR
import Testing

@testable import Agent

/// What monitors show of requests that the proxy did not allow.
@Suite("denied requests in monitors")
struct RequestDenialTests {
    private static let names: ReferenceEvaluator = {
        var objects = ClusterObjects()
        objects.pods = [
            Fixtures.pod("web", "10.0.0.1"), Fixtures.pod("api", "10.0.0.2"), Fixtures.pod("api-6", "fd00::2"),
        ]
        return ReferenceEvaluator(objects, policies: [])
    }()

    private static let denied =
        #"{"time":"2026-11-27T10:00:01.007Z","decision":"denied","status":403,"microseconds":90,"revision":4,"#
        + #""client":"10.0.0.1:4311","server":"10.0.0.2:8080","method":"GET","host":"api.shop","path":"/admin?a=...","#
        + #""rule":"CiliumNetworkPolicy shop/api spec.ingress[0] (api.yaml:9:5)","reason":"method+path","denies":"ingress"}"#

    private static func verdict(_ line: String) throws -> FlowVerdict? {
        let (denials, lost) = DenialReader.lines(Array(line.utf8)[...])
        #expect(lost == 0)
        return try #require(denials.first).verdict(at: 1_000, names)
    }

    @Test("a request: its ends by name, what was asked for, the rule that came nearest and what it fails")
    func request() throws {
        let verdict = try #require(try Self.verdict(Self.denied))
        #expect(verdict.isDrop && verdict.direction == "ingress" && verdict.subject == "shop/api")
        #expect(verdict.source == .init(address: "10.0.0.1", port: 4311, pod: "shop/web", identity: nil))
        #expect(verdict.destination == .init(address: "10.0.0.2", port: 8080, pod: "shop/api", identity: nil))
        #expect(verdict.reason == "REQUEST_DENIED" && verdict.sentence == "no HTTP rule allows the request")
        #expect(verdict.request == .init(method: "GET", host: "api.shop", path: "/admin?a=...", status: 403))
        #expect(
            verdict.nearestMiss
                == "CiliumNetworkPolicy shop/api spec.ingress[0] (api.yaml:9:5): it fails method and path")
        let sender = try #require(try Self.verdict(Self.denied.replacing("\"ingress\"", with: "\"egress\"")))
        #expect(sender.direction == "egress" && sender.subject == "shop/web")
    }

    @Test("bytes that are not HTTP, and a name asked for over TCP")
    func others() throws {
        let refused = try #require(
            try Self.verdict(
                #"{"decision":"refused","status":400,"client":"192.0.2.1:5","server":"[fd00::2]:80","reason":"bare-lf"}"#
            ))
        #expect(refused.reason == "REQUEST_REFUSED" && refused.sentence == "not exactly HTTP (bare-lf)")
        #expect(refused.subject == "shop/api-6" && refused.request == nil && refused.nearestMiss == nil)
        let query = try #require(
            try Self.verdict(
                #"{"decision":"denied","status":5,"client":"10.0.0.1:5","server":"192.0.2.53:53","query":"evil.org","reason":"name"}"#
            ))
        #expect(query.reason == "QUERY_DENIED" && query.name == "evil.org" && query.subject == "shop/web")
    }

    @Test("a monitor of a pod or a policy gets what is about it")
    func filters() throws {
        let denial = try #require(DenialReader.lines(Array(Self.denied.utf8)[...]).denials.first)
        let verdict = try #require(denial.verdict(at: 0, Self.names))
        for (filter, isWanted) in [
            (MonitorFilter(), true), (MonitorFilter(dropsOnly: true), true), (MonitorFilter(pod: "shop/web"), true),
            (MonitorFilter(pod: "shop/api"), true), (MonitorFilter(pod: "shop/db"), false),
            (MonitorFilter(policy: "api"), true), (MonitorFilter(policy: "shop/api"), true),
            (MonitorFilter(policy: "shop/other"), false),
        ] { #expect(denial.isWanted(by: filter, verdict) == isWanted, "\(filter)") }
    }

    @Test("losses are counted, and lines that are none")
    func losses() throws {
        let text = "{\"lost\":7}\n\(Self.denied)\nnothing\n{\"decision\":\"denied\"}\n"
        let (denials, lost) = DenialReader.lines(Array(text.utf8)[...])
        #expect(denials.count == 1 && lost == 9)
    }
}
