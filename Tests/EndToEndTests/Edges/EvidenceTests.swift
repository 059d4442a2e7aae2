import Agent
import Foundation
import Glibc
import Testing

/// What binds an interface to a pod besides the host's routes.
@Suite("edges: evidence of the runtime", .enabled(if: geteuid() == 0, "needs root"), .serialized)
struct EvidenceTests {
    private let world: EdgeWorld

    init() throws { world = try EdgeWorld() }

    @Test("libcni's result cache binds, whatever the namespace shows and the routes say")
    func cniCache() throws {
        // The spy has the client's address inside and on the host: only the runtime knows better.
        try world.ip("route del 10.244.7.12", "route del 10.244.7.11", "route add 10.244.7.11 dev np2")
        try world.note("client", interface: "np1", "10.244.7.11")
        try world.note("spy", interface: "np2", "10.244.7.12")
        try world.agent.start()
        let rows = try world.endpoints()
        #expect(rows["lab/client"]?.interface == "np1" && rows["lab/client"]?.evidence == "cniCache")
        #expect(rows["lab/spy"]?.interface == "np2" && rows["lab/spy"]?.evidence == "cniCache")
        #expect(rows["lab/server"]?.evidence == "hostRoute")
        #expect(try world.agent.waitCode() == 0)
    }

    @Test("a note that comes later and names another pod moves an interface that only a route had bound")
    func betterLater() throws {
        try world.agent.start()
        #expect(try world.endpoints()["lab/spy"]?.evidence == "hostRoute")
        try world.note("spy", interface: "np2", "10.244.7.12")
        try world.agent.settle()
        #expect(try world.endpoints()["lab/spy"]?.evidence == "cniCache")
        // Its going changes nothing.
        try world.forget("spy")
        try world.agent.settle()
        #expect(try world.endpoints()["lab/spy"]?.evidence == "cniCache")
        #expect(try world.pairs() == EdgeWorld.allowed)
    }

    @Test("the cgroup of a process binds the namespace that it is in")
    func cgroup() throws {
        try world.ip("route del 10.244.7.12", "route add 10.244.7.12 dev npworld")
        let cgroup = try PodCgroupFixture(uid: EdgeWorld.uids["spy"] ?? "")
        try cgroup.process(in: "\(world.network.podsFolder)/spy")
        try world.agent.start()
        let row = try world.endpoints()["lab/spy"]
        #expect(row?.interface == "np2" && row?.evidence == "podCgroup")
        #expect(try world.pairs() == ["client>server"])
    }

    @Test("a broken note is a condition, and takes nothing from the others")
    func brokenNote() throws {
        try world.note("spy", interface: "np2", "10.244.7.12")
        try "{".write(toFile: "\(world.cache)/net-0123456789ab-eth0", atomically: false, encoding: .utf8)
        try world.agent.start()
        #expect(try world.agent.waitCode() == 0)
        #expect(try world.agent.status().conditions.map(\.kind) == [.evidenceIgnored])
        #expect(try world.endpoints()["lab/spy"]?.evidence == "cniCache")
    }
}
