import Agent
import Foundation
import KubeClient
import KubeObjects
import KubeTestServer
import Testing

/// Conditions and Events at a server that answers as the recorded one.
struct StatusWriterTests {
    private static func policy(_ name: String, rule: String = "ingress: [{}]") -> String {
        """
        {apiVersion: cilium.io/v2, kind: CiliumNetworkPolicy, metadata: {name: \(name), namespace: shop}, \
        spec: {endpointSelector: {}, \(rule)}}
        """
    }

    private static let wrong = policy("wrong", rule: "ingress: [{fromEndpoints: [{}], surprise: 1}]")

    private static func settings(_ node: String) -> StatusWriter.Settings {
        StatusWriter.Settings(identity: node, duration: .seconds(10), look: .milliseconds(300))
    }

    private struct Object: Decodable {
        struct Condition: Decodable, Equatable {
            let type: String
            let status: String
            let lastTransitionTime: String
            let message: String
        }
        struct Status: Decodable { let conditions: [Condition]? }
        let status: Status?
    }

    private func condition(_ server: TestAPIServer, _ name: String) throws -> Object.Condition? {
        let text = server.object(try server.resource("ciliumnetworkpolicies"), namespace: "shop", name: name) ?? "{}"
        let object = try JSONDecoder().decode(Object.self, from: Data(text.utf8))
        return object.status?.conditions?.first { $0.type == "Valid" }
    }

    private func events(_ server: TestAPIServer) throws -> [String] { server.objects(try server.resource("events")) }

    private func writes(_ server: TestAPIServer) -> Int {
        server.requests.count { $0.hasPrefix("PATCH") || $0.contains("/events") && $0.hasPrefix("POST") }
    }

    @Test("two agents: conditions and Events are there once, change with the policy, and go on when the writer is gone")
    func cluster() async throws {
        let server = try await TestAPIServer.start()
        try server.apply("{apiVersion: v1, kind: Namespace, metadata: {name: shop}}")
        try server.apply("{apiVersion: v1, kind: Namespace, metadata: {name: kube-system}}")
        try server.apply(Self.policy("good"))
        try server.apply(Self.wrong)
        let first = try SourceRun(server, status: Self.settings("node-1"))
        try await expectEventually("the lease") {
            server.requests.contains { $0.hasPrefix("POST") && $0.contains("/leases") }
        }
        let second = try SourceRun(server, status: Self.settings("node-2"))
        try await expectEventually("conditions") {
            try condition(server, "good")?.status == "True" && condition(server, "wrong")?.status == "False"
        }
        #expect(try condition(server, "good")?.message == "Policy validation succeeded")
        #expect(try condition(server, "wrong")?.message.contains("surprise") == true)
        try await expectEventually("an Event") { try events(server).count == 1 }
        let event = try events(server).first ?? ""
        #expect(event.contains("PolicyRefused") && event.contains("surprise"), "\(event)")

        // Nobody writes what is there.
        let before = writes(server)
        try await Task.sleep(for: .seconds(1))
        #expect(writes(server) == before, "\(server.requests.suffix(20))")

        // The refused one is mended, the good one breaks; the time of the transition is another then.
        try server.apply(Self.policy("wrong"))
        try await expectEventually("mended") { try condition(server, "wrong")?.status == "True" }

        // The writer is gone: the other one takes its place.
        first.end()
        try server.apply(Self.wrong.replacing("name: wrong", with: "name: good"))
        try await expectEventually("the other agent writes") { try condition(server, "good")?.status == "False" }
        try await expectEventually("its Event") { try events(server).count == 2 }
        await second.stop()
    }

    @Test("without the right to write, a condition of the agent says so, and everything else goes on")
    func forbidden() async throws {
        let server = try await TestAPIServer.start()
        try server.apply("{apiVersion: v1, kind: Namespace, metadata: {name: shop}}")
        try server.apply(Self.policy("good"))
        server.setToken(
            "reader", APIUser(name: "reader", rules: [.init(verbs: ["list", "watch"], resources: ["*"])]))
        let run = try SourceRun(server, .token("reader"), status: Self.settings("node-1"))
        let state = try await run.until("said") { state in
            state.isSynced && state.conditions.contains { $0.kind == .statusUnwritten }
        }
        #expect(state.has(.ciliumNetworkPolicy, "good") && state.conditions.count == 1, "\(state.conditions)")
        #expect(try condition(server, "good") == nil)
        await run.stop()
    }
}
