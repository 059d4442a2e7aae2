import Agent
import Foundation
import KubeClient
import KubeObjects
import KubeTestServer
import Synchronization
import Testing

/// How one node stands, as a Lease at a server that answers as the recorded one.
struct NodeStatusWriterTests {
    private static func settings(renewal: Duration = .seconds(600)) -> NodeStatusWriter.Settings {
        NodeStatusWriter.Settings(node: "node-1", interval: .milliseconds(500), renewal: renewal)
    }

    private struct Lease: Decodable {
        struct Metadata: Decodable {
            struct Owner: Decodable {
                let kind: String
                let name: String
                let uid: String
            }
            let annotations: [String: String]
            let ownerReferences: [Owner]?
        }
        struct Spec: Decodable {
            let holderIdentity: String
            let acquireTime: String
            let renewTime: String
        }
        let metadata: Metadata
        let spec: Spec
    }

    private func lease(_ server: TestAPIServer) throws -> Lease? {
        guard
            let text = server.object(
                try server.resource("leases"), namespace: "netpold-nodes", name: "node-1")
        else { return nil }
        return try JSONDecoder().decode(Lease.self, from: Data(text.utf8))
    }

    private func writes(_ server: TestAPIServer) -> Int {
        server.requests.count { !$0.hasPrefix("GET") && $0.contains("/leases") }
    }

    private func server() async throws -> TestAPIServer {
        let server = try await TestAPIServer.start()
        try server.apply("{apiVersion: v1, kind: Namespace, metadata: {name: netpold-nodes}}")
        try server.apply("{apiVersion: v1, kind: Node, metadata: {name: node-1}}")
        return server
    }

    @Test("what is new is written, at most once in an interval, and nothing while nothing is; the next agent goes on")
    func writing() async throws {
        let server = try await server()
        let summary = Mutex(
            NodeSummary(revision: 1, isInForce: true, policiesInForce: 3, policiesRefused: 0, problems: []))
        let run = try SourceRun(server, nodeStatus: Self.settings())
        try #require(run.source.nodeStatus).begin { summary.withLock(\.self) }
        try await expectEventually("the lease") { try lease(server) != nil }
        let first = try #require(try lease(server))
        #expect(first.metadata.annotations["netpold.io/policies-in-force"] == "3")
        #expect(first.metadata.annotations["netpold.io/problem"] == nil)
        #expect(first.metadata.ownerReferences?.map(\.name) == ["node-1"])
        #expect(first.metadata.ownerReferences?.first?.uid.isEmpty == false)
        #expect(first.spec.holderIdentity == "node-1")
        try await Task.sleep(for: .seconds(2))
        #expect(writes(server) == 1)
        // Many changes are few writes, and the last one is among them.
        let begin = ContinuousClock.now
        for number in 2...40 {
            summary.withLock {
                $0.revision = UInt64(number)
                $0.policiesRefused = 1
                $0.problems = ["shop/web: \(String(repeating: "x", count: 2000))"]
            }
            try await Task.sleep(for: .milliseconds(40))
        }
        try await expectEventually("the last change") {
            try lease(server)?.metadata.annotations["netpold.io/revision"] == "40"
        }
        let intervals = (ContinuousClock.now - begin) / .milliseconds(500)
        #expect(Double(writes(server) - 1) <= intervals + 2, "\(writes(server)) writes in \(intervals) intervals")
        let last = try #require(try lease(server)).metadata.annotations
        #expect(last["netpold.io/problems"] == "1" && last["netpold.io/policies-refused"] == "1")
        #expect(last["netpold.io/problem"]?.count == 512)
        run.end()
        let next = try SourceRun(server, nodeStatus: Self.settings(renewal: .milliseconds(600)))
        try #require(next.source.nodeStatus).begin { summary.withLock(\.self) }
        let before = try #require(try lease(server)).spec
        try await expectEventually("renewed") { try lease(server)?.spec.renewTime != before.renewTime }
        #expect(try lease(server)?.spec.acquireTime == before.acquireTime)
        await next.stop()
    }

    @Test("without the right to write, a condition says so and everything else goes on; with it, it is over")
    func forbidden() async throws {
        let server = try await server()
        let reader = APIUser.Rule(verbs: ["list", "watch"], resources: ["*"])
        server.setToken("reader", APIUser(name: "reader", rules: [reader]))
        let run = try SourceRun(server, .token("reader"), nodeStatus: Self.settings())
        try #require(run.source.nodeStatus).begin {
            NodeSummary(revision: 1, isInForce: true, policiesInForce: 0, policiesRefused: 0, problems: [])
        }
        let state = try await run.until("said") { state in
            state.isSynced && state.conditions.contains { $0.kind == .statusUnwritten }
        }
        #expect(state.conditions.map(\.message).contains { $0.contains("netpold-nodes/node-1") })
        // What deploy/rbac-node-status.yaml grants.
        let writer = APIUser.Rule(verbs: ["get", "create", "update"], resources: ["leases.coordination.k8s.io"])
        server.setToken("reader", APIUser(name: "reader", rules: [reader, writer]))
        try await run.until("over") { !$0.conditions.contains { $0.kind == .statusUnwritten } }
        #expect(try lease(server) != nil)
        await run.stop()
    }
}
