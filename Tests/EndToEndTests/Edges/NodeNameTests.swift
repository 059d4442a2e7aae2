import Agent
import Foundation
import Glibc
import Testing

@Suite("edges: the node's name", .enabled(if: geteuid() == 0, "needs root"), .serialized)
struct NodeNameTests {
    @Test("without --node it is the host's name, whatever nodes and pods are added whose names sort before it")
    func lowerNames() throws {
        let host = ProcessInfo.processInfo.hostName.lowercased()
        let pods = [
            EdgeWorld.pod("server", "10.244.7.10", node: host), EdgeWorld.pod("client", "10.244.7.11", node: host),
            EdgeWorld.pod("spy", "10.244.7.12", node: host),
        ]
        let world = try EdgeWorld(pods: pods)
        try world.agent.start(node: nil)
        #expect(try world.pairs() == EdgeWorld.allowed)
        let before = try world.endpoints()
        try world.write(pods: pods + [EdgeWorld.pod("aaa", "10.244.9.1", node: "0aaa")])
        try world.agent.write("nodes.yaml", "{apiVersion: v1, kind: Node, metadata: {name: 0aab}}")
        #expect(try world.agent.waitCode() == 0)
        #expect(try world.endpoints() == before)
        #expect(try world.pairs() == EdgeWorld.allowed)
    }

    @Test("a name that no object has is a severe condition, and what the host knows is enforced all the same")
    func unknownName() throws {
        let world = try EdgeWorld()
        try world.agent.start(node: "elsewhere")
        #expect(try world.agent.waitCode() == 1)
        let status = try world.agent.status()
        #expect(status.conditions.filter { $0.kind == .nodeNameUnknown }.map(\.isSevere) == [true])
        #expect(try world.agent.ask("status").output.contains("run with --node NAME"))
    }
}
