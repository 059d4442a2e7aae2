import Foundation
import NetpoldTestSupport
import Testing

@testable import NetTypes
@testable import PolicyAPI
@testable import PolicyAnalysis
@testable import PolicyIR

/// Flows over Tests/Golden/explain/*.yaml, their explanations recorded beside the manifests.
@Suite("Recorded explanations")
struct ExplanationGoldenTests {
    /// Flows by what they show; the recorded text has the same order.
    static let flows: [(shows: String, flow: String)] = [
        ("an allowed flow names the rule of each side", "shop/web shop/db 5432/TCP"),
        ("a port that no near rule has", "shop/web shop/db 8080/TCP"),
        ("another protocol", "shop/web shop/db 9001/UDP"),
        ("a label with another value", "shop/job shop/db 9001/TCP"),
        ("a namespace without the label", "monitoring/probe shop/db 5432/TCP"),
        ("an address inside an exception", "shop/cache shop/db 22/TCP"),
        ("an address outside of all blocks", "ip:203.0.113.5 shop/db 22/TCP"),
        ("an address of a block", "ip:172.16.3.4 shop/db 22/TCP"),
        ("matchExpressions of each kind", "shop/job legacy/old 80/TCP"),
        ("a port name that the pod does not have", "monitoring/probe shop/web 9090/TCP"),
        ("an allowed flow from anywhere", "ip:203.0.113.5 shop/web 8080/TCP"),
        ("the pod's own node", "host shop/db 1/TCP"),
        ("another node", "remote-node shop/db 1/TCP"),
        ("a pod to itself", "shop/db shop/db 1/TCP"),
        ("no policy selects the pod; one misses it by a typo", "shop/job shop/cache 6379/TCP"),
        ("no policy selects the pod; one of another namespace would", "shop/job monitoring/db 5432/TCP"),
        ("policies select the pod and none isolates it", "shop/db shop/job 80/TCP"),
        ("a deny rule that wins over an allow rule", "shop/web ip:192.0.2.66 443/TCP"),
        ("an address and a port that miss", "shop/web ip:192.0.3.1 80/TCP"),
        ("an address that DNS gave", "shop/web ip:198.51.100.1 443/TCP"),
        ("an address that DNS gave for another name", "shop/web ip:198.51.100.2 443/TCP"),
        ("a CIDR of a Cilium policy over a pod", "shop/web shop/job 80/TCP"),
        ("an entity that the end is not of", "shop/web host 10250/TCP"),
        ("an entity that the end is of", "shop/web remote-node 10250/TCP"),
        ("an ICMP type that the rule has", "shop/web ip:203.0.113.5 ICMP/8"),
        ("an ICMP type that the rule does not have", "shop/web ip:203.0.113.5 ICMP/3"),
        ("a hostNetwork pod", "shop/web monitoring/exporter 80/TCP"),
        ("service accounts, hidden labels and empty lists", "shop/job shop/web 80/TCP"),
        ("a named port of the destination", "shop/job monitoring/probe 9100/TCP"),
        ("a node without the label", "ip:192.168.0.1 monitoring/probe 9100/TCP"),
        ("a pod where nodes are meant, and a rule that nothing matches", "shop/db monitoring/probe 9100/TCP"),
        ("an address that two pods claim", "ip:10.0.3.1 shop/db 80/TCP"),
        ("rules with HTTP conditions", "shop/web shop/cache-1 80/TCP"),
        ("a name for a destination that is no pod", "shop/job ip:203.0.113.5 9100/TCP"),
    ]

    private static func folder() -> URL {
        URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("Golden/explain")
    }

    private static func explain(_ flow: String) throws -> DecisionExplanation {
        var decoder = ManifestDecoder()
        for file in ["cluster.yaml", "policies.yaml"] {
            decoder.add([UInt8](try Data(contentsOf: folder().appendingPathComponent(file))), file: file)
        }
        let decoded = decoder.finish()
        try #require(decoded.errors.isEmpty, "\(decoded.errors)")
        var objects = decoded.objects
        objects.names = [
            "www.example.com": [try #require(IPAddress(parsing: "198.51.100.1"))],
            "cdn.example.net": [try #require(IPAddress(parsing: "198.51.100.2"))],
        ]
        let parts = flow.split(separator: " ").map(String.init)
        let name = try #require(TrafficName(parsing: parts[2]))
        return try evaluator(objects).explain(
            Flow(
                from: try #require(FlowEnd(parsing: parts[0])), to: try #require(FlowEnd(parsing: parts[1])),
                protocol: name.protocol, port: name.port))
    }

    @Test("Each kind of condition and each reason is among the recorded ones")
    func complete() throws {
        let sides = try Self.flows.map { try Self.explain($0.flow) }.flatMap { [$0.egress, $0.ingress] }
        let conditions = sides.flatMap { $0.nearMisses.flatMap(\.failed) + $0.subjectMisses.map(\.failed) }
        let ofFlows = Set(FailedCondition.Kind.allCases).subtracting(RequestGoldenTests.kinds)
        #expect(Set(conditions.map(\.kind)) == ofFlows)
        #expect(Set(sides.map { ExplanationReport.Side($0).reason }).count == 7)
    }

    @Test("docs/reference/explain-json.md has a row for every kind of condition and every reason")
    func documented() throws {
        let page = try String(
            contentsOf: Self.folder().appendingPathComponent("../../../docs/reference/explain-json.md").standardized,
            encoding: .utf8)
        let reasons = try Self.flows.map { try Self.explain($0.flow) }.flatMap { [$0.egress, $0.ingress] }
            .map { ExplanationReport.Side($0).reason }
        for word in FailedCondition.Kind.allCases.map(\.rawValue) + reasons {
            #expect(page.contains("\n| `\(word)` |"), "\(word)")
        }
    }

    @Test("Each flow is explained in the recorded text")
    func text() throws {
        var text = ""
        for (shows, flow) in Self.flows {
            let lines = try Self.explain(flow).lines.map(\.text)
            text += "# \(shows): netpold explain \(flow)\n\(lines.joined(separator: "\n"))\n\n"
        }
        #expect(Snapshot.difference(text, "explain/explanations.txt") == nil)
    }

    @Test("Each flow is explained in the recorded JSON")
    func json() throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // One line a flow.
        let text = try Self.flows.map { entry in
            String(decoding: try encoder.encode(ExplanationReport(try Self.explain(entry.flow))), as: UTF8.self) + "\n"
        }.joined()
        #expect(Snapshot.difference(text, "explain/explanations.jsonl") == nil)
    }
}
