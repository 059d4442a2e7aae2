import Foundation
import NetTypes
import NetpoldTestSupport
import PolicyAPI
import PolicyIR
import Testing

@testable import LabKit

/// What a lab tries beyond connections, on the example that has rules of every kind.
@Suite("Lab plan, names and requests")
struct LabRequestPlanTests {
    private static let plan: LabPlan = {
        let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "examples/l7")
        let text = ["cluster", "policies"].map { name in
            (try? String(contentsOf: folder.appending(path: "\(name).yaml"), encoding: .utf8)) ?? ""
        }.joined(separator: "\n---\n")
        let objects = decode(text).objects
        return LabPlan(objects, policies: PolicyLowering.lower(objects).policies)
    }()

    private func predictions(from: String, to: String, _ kind: String) -> [String: Set<LabRequestPrediction>] {
        let flows = Self.plan.requestFlows.filter {
            Self.plan.name(of: $0.from) == from && Self.plan.name(of: $0.to).hasPrefix(to) && $0.attempt.kind == kind
        }
        return Dictionary(grouping: flows) { $0.attempt.summary }.mapValues { Set($0.map(\.prediction)) }
    }

    @Test("names: one for each pattern, and one that no policy names, each with addresses of its own")
    func names() {
        let names = Self.plan.names
        #expect(
            names.map(\.name) == [
                "a.b.cluster.local", "a.b.example.org", "api.stripe.com", "pypi.org", "unnamed.example.net",
                "x.stripe.com",
            ])
        #expect(Set(names.flatMap(\.addresses)).count == 12)
        #expect(Self.plan.waitingPorts == [53, 443, 8080, 50051])
    }

    @Test("HTTP: of each rule a request that it matches and others beside it")
    func http() {
        let found = predictions(from: "shop/web", to: "shop/api", "http")
        #expect(
            found == [
                "GET /api/v2/users of lab.test": [.answered], "DELETE /api/v2/users of lab.test": [.denied],
                // With the header and without it: the same words, both predictions.
                "POST /api/v2/orders of lab.test": [.answered, .denied],
                "DELETE /api/v2/orders of lab.test": [.denied], "GET /unnamed of lab.test": [.denied],
            ])
        #expect(predictions(from: "shop/admin", to: "shop/api", "http") == ["GET /unnamed of lab.test": [.answered]])
        #expect(predictions(from: "shop/billing", to: "shop/api", "http").isEmpty)
    }

    @Test("DNS: each name at each address of the DNS pod and its Service")
    func dns() {
        for to in ["kube-system/dns", "kube-system/kube-dns cluster IP"] {
            let found = predictions(from: "shop/billing", to: to, "dns")
            #expect(found.count == 6)
            #expect(
                found.filter { $0.value == [.answered] }.keys.sorted() == [
                    "DNS query for api.stripe.com", "DNS query for x.stripe.com",
                ])
            #expect(found.filter { $0.value == [.denied] }.count == 4)
        }
        // Over a plain rule everything is answered.
        #expect(predictions(from: "shop/fetcher", to: "kube-system/dns", "dns").values.allSatisfy { $0 == [.answered] })
    }

    @Test("server names: each name and none at all, wherever the connection leads")
    func serverNames() {
        let found = predictions(from: "shop/fetcher", to: "198.18.0.1", "sni")
        #expect(found.count == 7)
        #expect(
            found.filter { $0.value == [.answered] }.keys.sorted() == ["TLS to a.b.example.org", "TLS to pypi.org"])
        #expect(found["TLS without a server name"] == [.denied])
    }

    @Test(
        "names for peers: closed before they are asked for, open at once after the answer, and only the one that is named"
    )
    func lookUps() {
        let before = Self.plan.requestFlows.filter { $0.attempt.kind == "connect" }
        #expect(before.count == 12)
        #expect(before.allSatisfy { $0.prediction == .dropped && Self.plan.name(of: $0.from) == "shop/billing" })
        let after = Self.plan.requestFlows.filter { $0.attempt.kind == "lookup" }
        let open = Set(after.filter { $0.prediction == .answered }.map(\.attempt))
        let closed = Set(after.filter { $0.prediction == .dropped }.map(\.attempt))
        #expect(open == [.lookUp(name: "api.stripe.com", then: LabTraffic(.tcp, 443))])
        #expect(closed == [.lookUp(name: "x.stripe.com", then: LabTraffic(.tcp, 443))])
        #expect(Self.plan.requestFlows.suffix(after.count).allSatisfy { $0.attempt.kind == "lookup" })
    }

    @Test(
        "a plain rule beside the DNS rule lifts the filter, and what is asked over it is learnt; a plain rule alone teaches nothing"
    )
    func plainRules() {
        func after(dnsRule: Bool) -> [LabRequestPrediction] {
            let port = LabTraffic(.udp, 53)
            let dns =
                dnsRule
                ? "- {toEndpoints: [{}], toPorts: [{ports: [{port: '53', protocol: UDP}], "
                    + "rules: {dns: [{matchName: a.test}]}}]}" : ""
            let text = """
                {apiVersion: v1, kind: Pod, metadata: {name: a, namespace: x, labels: {app: a}}}
                ---
                {apiVersion: v1, kind: Pod, metadata: {name: b, namespace: x, labels: {app: b}}}
                ---
                apiVersion: cilium.io/v2
                kind: CiliumNetworkPolicy
                metadata: {name: p, namespace: x}
                spec:
                  endpointSelector: {matchLabels: {app: a}}
                  egress:
                  - {toEndpoints: [{}], toPorts: [{ports: [{port: '53', protocol: UDP}]}]}
                  - {toFQDNs: [{matchName: b.test}], toPorts: [{ports: [{port: '443', protocol: TCP}]}]}
                  \(dns)
                ---
                # Says for the lab that port 53 is one for names.
                apiVersion: cilium.io/v2
                kind: CiliumNetworkPolicy
                metadata: {name: q, namespace: x}
                spec:
                  endpointSelector: {matchLabels: {app: b}}
                  egress: [{toEndpoints: [{}], toPorts: [{ports: [{port: '53', protocol: UDP}], rules: {dns: [{matchName: a.test}]}}]}]
                """
            let objects = decode(text).objects
            let plan = LabPlan(objects, policies: PolicyLowering.lower(objects).policies)
            #expect(plan.traffic.contains(port))
            return plan.requestFlows.filter {
                $0.attempt == .lookUp(name: "b.test", then: LabTraffic(.tcp, 443)) && plan.name(of: $0.from) == "x/a"
            }.map(\.prediction)
        }
        #expect(after(dnsRule: true) == [.answered, .answered])
        #expect(after(dnsRule: false) == [.dropped, .dropped])
    }
}

@Suite("Lab messages")
struct LabMessageTests {
    private static let zone: DNSMessage.Zone = [
        "api.example.org": [IPAddress(ipv4: 0x0102_0304), IPAddress(high: 0x2001_0db8 << 32, low: 5)]
    ]

    @Test("a query is answered with the addresses of its family, whatever the case; an unknown name does not exist")
    func dns() throws {
        for (name, isIPv4, expected) in [
            ("api.example.org", true, DNSMessage.Answer.addresses([IPAddress(ipv4: 0x0102_0304)])),
            ("API.Example.org", false, .addresses([IPAddress(high: 0x2001_0db8 << 32, low: 5)])),
            ("example.org", true, .refused("NXDOMAIN")),
        ] {
            let query = DNSMessage.query(name, isIPv4: isIPv4, id: 7)
            let answer = try #require(DNSMessage.answer(to: query, Self.zone))
            #expect(DNSMessage.parse(answer, id: 7) == expected)
            #expect(DNSMessage.parse(answer, id: 8) == nil)
            #expect(DNSMessage.answer(to: answer, Self.zone) == nil, "an answer is no query")
        }
    }

    @Test("messages cut anywhere or with any byte changed are answered or not, and end nothing")
    func hostileDNS() throws {
        let query = DNSMessage.query("api.example.org", isIPv4: true, id: 7)
        let answer = try #require(DNSMessage.answer(to: query, Self.zone))
        for message in [query, answer] {
            for length in message.indices {
                _ = DNSMessage.answer(to: Array(message.prefix(length)), Self.zone)
                _ = DNSMessage.parse(Array(message.prefix(length)), id: 7)
                for value in [0, 1, 63, 64, 192, 255] as [UInt8] {
                    var changed = message
                    changed[length] = value
                    _ = DNSMessage.answer(to: changed, Self.zone)
                    _ = DNSMessage.parse(changed, id: 7)
                }
            }
        }
    }

    @Test(
        "texts for regular expressions, checked by RE2",
        arguments: [
            ("", "/", "/"), ("/api/v2/users.*", "/", "/api/v2/users"), (".*", "/", "/"), ("GET|HEAD", "GET", "GET"),
            ("P.*", "GET", "P"), ("/shop.Inventory/(Get|List)", "/", "/shop.Inventory/Get"),
            ("/a/[0-9]+(/x)?", "/", "/a/0"),
            (#"/v\d{2}\.html$"#, "/", "/v77.html"), ("^/[^/]+/c", "/", "/x/c"),
        ])
    func witness(pattern: String, usual: String, expected: String) {
        #expect(RegexWitness.text(pattern, usual: usual) == expected)
    }

    @Test("what is no request of a pattern is not made up", arguments: ["(?i)[", #"\bx\b\B"#, #"\pN"#])
    func noWitness(pattern: String) {
        if let text = RegexWitness.text(pattern, usual: "/") {
            #expect((try? RegexPattern(pattern))?.matches(text) == true)
        }
    }
}
