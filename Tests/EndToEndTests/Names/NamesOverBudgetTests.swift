import Foundation
import Testing

/// Policies with more patterns of names than the automaton has room for: what they say holds all the same, over TCP.
@Suite("Names over the automaton's budget", .serialized)
struct NamesOverBudgetTests {
    /// 70 names of 253 bytes: a state each byte.
    private static let long = (0..<70).map { number in
        (0..<5).map { label in
            let text = "x\(number)-\(label)"
            return text + String(repeating: "x", count: 49 - text.utf8.count)
        }.joined(separator: ".") + ".org"
    }

    private static func list(_ names: [String], _ kind: String = "matchName") -> String {
        names.map { "{\(kind): \"\($0)\"}" }.joined(separator: ", ")
    }

    /// Besides what examples/l7 has for billing.
    private static let policy = """
        apiVersion: cilium.io/v2
        kind: CiliumNetworkPolicy
        metadata: {name: many-names, namespace: shop}
        spec:
          endpointSelector: {matchLabels: {app: billing}}
          egress:
            - toEndpoints: [{matchLabels: {"k8s:io.kubernetes.pod.namespace": kube-system, k8s-app: kube-dns}}]
              toPorts:
                - ports: [{port: "53", protocol: ANY}]
                  rules: {dns: [{matchPattern: "*.pypi.org"}, \(list(long))]}
            - toFQDNs: [{matchPattern: "*.pypi.org"}]
              toPorts: [{ports: [{port: "443", protocol: TCP}]}]
        """

    @Test(
        "dig and curl: queries under patterns that are left out are made over TCP and learnt for their selectors; others are REFUSED",
        .enabled(
            if: geteuid() == 0 && RealServers.missing.isEmpty,
            "needs root and scripts/install-deps.sh \(RealServers.packages)"))
    func realServers() throws {
        let world = try RealServers(besides: Self.policy)
        #expect(try world.curl("billing", "https://198.51.100.30/") == "000")
        // Without asking again: truncated, without a record.
        let ignored = try world.client(
            "billing", ["dig", "@10.96.0.10", "+time=2", "+tries=1", "+ignore", "x.pypi.org", "A"]
        ).output
        #expect(
            ignored.contains("status: NOERROR") && ignored.contains(#/flags: qr tc rd ra;.* ANSWER: 0,/#), "\(ignored)")
        #expect(try world.curl("billing", "https://198.51.100.30/") == "000")
        #expect(try world.dig("billing", "x.pypi.org") == "NOERROR 198.51.100.30")
        #expect(try world.curl("billing", "https://198.51.100.30/").hasSuffix(" 200"))
        // The automaton has this name, but not the pattern that may be a column's.
        #expect(try world.dig("billing", "api.stripe.com") == "NOERROR 198.51.100.20")
        #expect(try world.curl("billing", "https://198.51.100.20/").hasSuffix(" 200"))
        // Allowed by a pattern that is left out, and selected by nothing.
        #expect(try world.dig("billing", "js.stripe.com") == "NOERROR 198.51.100.21")
        #expect(try world.curl("billing", "https://198.51.100.21/") == "000")
        #expect(try world.dig("billing", "pypi.org") == "REFUSED")
        #expect(try world.dig("billing", "a.b.pypi.org") == "REFUSED")
        // Nobody else has learnt anything; a pattern of a pod without names of its own is left out as well.
        #expect(try world.curl("web", "https://198.51.100.30/") == "000")
        #expect(try world.dig("web", "x.pypi.org") == "REFUSED")
        #expect(try world.dig("web", "api.shop.svc.cluster.local") == "NOERROR 10.30.0.13")

        let status = try world.agent.ask("status", ["--json"]).output
        let object = try JSONSerialization.jsonObject(with: Data(status.utf8)) as? [String: Any]
        let leftOut = object?["namesLeftOut"] as? [String] ?? []
        #expect(Set(leftOut).isSuperset(of: ["*.pypi.org.", "*.stripe.com.", "**.cluster.local."]), "\(leftOut)")
        let reasons = object?["reasons"] as? [[String: Any]] ?? []
        let told = reasons.first { $0["reason"] as? String == "NP_DROP_NAME_STREAM" }?["count"] as? [String: Any]
        #expect((told?["packets"] as? Int ?? 0) >= 7, "\(reasons)")
        let conditions = object?["conditions"] as? [[String: Any]] ?? []
        let condition = conditions.first { $0["kind"] as? String == "namesLeftOut" }?["message"] as? String ?? ""
        // Server names are nobody else's.
        #expect(
            condition.contains("over TCP") && condition.contains("(**.example.org.): what they would"), "\(condition)")

        // Without the agent the same; without the proxy nothing that it decides.
        world.agent.end(SIGKILL)
        #expect(try world.dig("billing", "y.pypi.org") == "NOERROR 198.51.100.30")
        #expect(try world.dig("billing", "evil.example") == "REFUSED")
        world.endProxy()
        #expect(try world.dig("billing", "z.pypi.org") == "no answer")
        #expect(try world.dig("billing", "evil.example") == "no answer")
    }

    @Test(
        "netpold lab: queries and connections by name, measured as predicted",
        .enabled(if: geteuid() == 0, "needs root"))
    func lab() throws {
        let node = """
            apiVersion: v1
            kind: Node
            metadata: {name: node-1}
            status: {addresses: [{type: InternalIP, address: 192.168.31.1}, {type: InternalIP, address: "fd00:31::1"}]}
            """
        func pod(_ name: String, _ number: Int) -> String {
            """
            apiVersion: v1
            kind: Pod
            metadata: {name: \(name), namespace: shop, labels: {app: \(name)}}
            spec: {nodeName: node-1, containers: [{name: c, image: i}]}
            status:
              phase: Running
              podIP: 10.31.0.\(number)
              podIPs: [{ip: 10.31.0.\(number)}, {ip: "fd00:31:1::\(number)"}]
            """
        }
        func policy(_ app: String, _ dns: String, _ selectors: [String]) -> String {
            let rules = selectors.enumerated().map { number, list in
                "    - toFQDNs: [\(list)]\n      toPorts: [{ports: [{port: \"\(8001 + number)\", protocol: TCP}]}]"
            }
            return """
                apiVersion: cilium.io/v2
                kind: CiliumNetworkPolicy
                metadata: {name: \(app), namespace: shop}
                spec:
                  endpointSelector: {matchLabels: {app: \(app)}}
                  egress:
                    - toEndpoints: [{matchLabels: {app: dns}}]
                      toPorts: [{ports: [{port: "53", protocol: ANY}], rules: {dns: [\(dns)]}}]

                """ + rules.joined(separator: "\n")
        }
        let far = Self.list(["*.far.example", "**.deep.example"], "matchPattern")
        let near = Self.list(["api.near.example"])
        let fixture = try LabFixture(
            [
                node, pod("web", 11), pod("all", 12), pod("dns", 13),
                policy(
                    "web", "\(far), \(near), \(Self.list(Self.long))",
                    [near, Self.list(["*.far.example"], "matchPattern")]),
                policy("all", "{matchPattern: \"*\"}", [Self.list(["**.deep.example"], "matchPattern"), near]),
            ].joined(separator: "\n---\n"))
        let run = try BuiltNetpold.run(["lab", "-f", fixture.folder, "--name", fixture.name, "--json"])
        #expect(run.code == 0, "\(run.errors)")
        let object = try JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [String: Any]
        let requests = object?["requests"] as? [[String: Any]] ?? []
        for kind in ["dns", "lookup"] {
            let predicted = Set(
                requests.filter { $0["kind"] as? String == kind }.compactMap { $0["predicted"] as? String })
            #expect(predicted.count == 2 && predicted.contains("answered"), "\(kind): \(predicted)")
        }
        let differing = requests.filter { $0["agrees"] as? Bool != true }
        #expect(differing.isEmpty, "\(differing.prefix(5))")
        #expect(requests.count > 100)
        #expect(fixture.leftovers == [])
    }
}
