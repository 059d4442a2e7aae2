import Agent
import Foundation
import Glibc
import Testing

/// What was bound stays bound across lives of the agent.
@Suite("edges: restarts keep bindings", .enabled(if: geteuid() == 0, "needs root"), .serialized)
struct RestartTests {
    @Test("a pod without object and without an address stays enforced across restarts", arguments: [SIGTERM, SIGKILL])
    func bindingsStay(signal: Int32) throws {
        let world = try EdgeWorld()
        try world.agent.start()
        // The object goes, then all that said whose the interface is.
        try world.write(pods: [EdgeWorld.server, EdgeWorld.client])
        try world.agent.settle()
        try world.ip("route del 10.244.7.12")
        try world.ip(in: "spy", "addr flush dev eth0")
        try world.agent.settle()
        let before = try world.endpoints()
        #expect(before["lab/spy"]?.state == .orphan)
        world.agent.end(signal)
        try world.agent.start()
        #expect(try world.endpoints() == before)
        #expect(try world.agent.status().conditions.filter(\.isSevere).map(\.kind) == [.podObjectGone])
        try world.ip("route add 10.244.7.12 dev np2")
        try world.ip(in: "spy", ["addr add 10.244.7.12/32 dev eth0"] + world.routes(over: "np2"))
        #expect(try world.pairs() == EdgeWorld.allowed)
    }

    @Test("without the file, what is pinned was enforced before: the interface stays closed")
    func withoutFile() throws {
        let world = try EdgeWorld()
        try world.agent.start()
        world.agent.end(SIGKILL)
        try world.agent.removeBindings()
        try world.write(pods: [EdgeWorld.server, EdgeWorld.client])
        try world.agent.start()
        // Only the node reaches it; the client is not the node.
        #expect(try world.pairs() == ["client>server"])
        let row = try world.endpoints()["netns spy"]
        #expect(row?.state == .isolated)
        #expect(row?.evidence == "pinnedEndpoint")
    }

    @Test("a binding file that makes no sense is ignored, loudly")
    func brokenFile() throws {
        let world = try EdgeWorld()
        try world.agent.start()
        world.agent.end(SIGTERM)
        try world.agent.breakBindings()
        try world.agent.start()
        #expect(world.agent.log.contains("the bindings of an earlier agent are not known"))
        #expect(try world.pairs() == EdgeWorld.allowed)
        #expect(try world.agent.waitCode() == 0)
    }
}
