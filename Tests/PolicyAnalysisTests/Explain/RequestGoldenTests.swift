import Foundation
import NetpoldTestSupport
import Testing

@testable import PolicyAPI
@testable import PolicyAnalysis
@testable import PolicyIR

/// Requests over Tests/Golden/explain/requests.yaml, their explanations recorded beside it.
@Suite("Recorded explanations of requests")
struct RequestGoldenTests {
    /// The kinds of conditions that only requests fail.
    static let kinds: Set<FailedCondition.Kind> = [
        .method, .path, .host, .header, .secret, .queryName, .serverName, .requestKind,
    ]

    private static func get(_ path: String, _ method: String = "GET", host: String = "") -> L7Request {
        .http(HTTPRequest(method: method, path: path, host: host, headers: [.init("X-Debug", "1")]))
    }

    static let requests: [(shows: String, flow: String, request: L7Request)] = [
        ("permitted at both ends, headers changed on the way", "shop/web shop/api 80/TCP", get("/public")),
        ("a header that the sender's proxy sets", "shop/web shop/api 80/TCP", get("/api/x", host: "api.example.com")),
        ("the query string counts", "shop/web shop/api 80/TCP", get("/public?x=1")),
        ("another host", "shop/web shop/api 80/TCP", get("/api/x", host: "api.example.com:8080")),
        ("a missing header", "shop/web shop/api 80/TCP", get("/upload", "PUT")),
        ("a secret", "shop/web shop/api 80/TCP", get("/keys")),
        ("denied by the sender's rules", "shop/web shop/api 80/TCP", get("/public", "DELETE")),
        ("denied with its connection", "shop/job shop/api 80/TCP", get("/public")),
        ("no L7 rule on its way", "shop/job ip:192.0.2.1 80/TCP", get("/public")),
        ("a name that a pattern has", "shop/web ip:192.0.2.53 53/UDP", .dns("api.shop.svc.cluster.local")),
        ("a name that no rule has", "shop/web ip:192.0.2.53 53/UDP", .dns("www.example.com")),
        ("a server name", "shop/web ip:192.0.2.1 443/TCP", .serverName("www.example.com")),
        ("another server name", "shop/web ip:192.0.2.1 443/TCP", .serverName("example.com")),
        ("no server name", "shop/web ip:192.0.2.1 443/TCP", .serverName("")),
        ("a request of another kind", "shop/web ip:192.0.2.1 443/TCP", get("/")),
    ]

    private static func explanations() throws -> [DecisionExplanation] {
        let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("Golden/explain/requests.yaml")
        var decoder = ManifestDecoder()
        decoder.add([UInt8](try Data(contentsOf: file)), file: "requests.yaml")
        let decoded = decoder.finish()
        try #require(decoded.errors.isEmpty, "\(decoded.errors)")
        let evaluator = evaluator(decoded.objects)
        return try requests.map { _, flow, request in
            let parts = flow.split(separator: " ").map(String.init)
            let name = try #require(TrafficName(parsing: parts[2]))
            return try evaluator.explain(
                Flow(
                    from: try #require(FlowEnd(parsing: parts[0])), to: try #require(FlowEnd(parsing: parts[1])),
                    protocol: name.protocol, port: name.port), request: request)
        }
    }

    @Test("each kind of condition of a request is among the recorded ones")
    func complete() throws {
        let sides = try Self.explanations().flatMap { $0.request?.sides ?? [] }
        #expect(Set(sides.flatMap(\.nearMisses).flatMap(\.failed).map(\.kind)) == Self.kinds)
    }

    @Test("each request is explained in the recorded text")
    func text() throws {
        let text = zip(Self.requests, try Self.explanations()).map { entry, explanation in
            let lines = [explanation.headline] + (explanation.request?.lines ?? [])
            return "# \(entry.shows)\n\(lines.joined(separator: "\n"))\n\n"
        }.joined()
        #expect(Snapshot.difference(text, "explain/requests.txt") == nil)
    }

    @Test("each request is explained in the recorded JSON")
    func json() throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let text = try Self.explanations().map {
            String(decoding: try encoder.encode(ExplanationReport($0).request), as: UTF8.self) + "\n"
        }.joined()
        #expect(Snapshot.difference(text, "explain/requests.jsonl") == nil)
    }
}
