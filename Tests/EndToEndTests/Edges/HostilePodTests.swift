import Agent
import Datapath
import Glibc
import Testing

/// What a pod does to its own addresses and interfaces changes nothing of what is enforced on it, or on others.
@Suite("edges: a pod that changes itself", .enabled(if: geteuid() == 0, "needs root"), .serialized)
struct HostilePodTests {
    private let world: EdgeWorld

    init() throws {
        world = try EdgeWorld()
        try world.agent.start()
    }

    /// Two looks of the agent, after which everything is as it was.
    private func expectUnchanged(_ before: [String: EndpointReport], pairs: Set<String>) throws {
        for _ in 0..<2 { try world.agent.settle() }
        #expect(try world.endpoints() == before)
        #expect(try world.pairs() == pairs)
        #expect(try world.agent.waitCode() == 0)
    }

    @Test("it adds another pod's address: both keep identity and enforcement, and nothing goes out from that address")
    func addsAddress() throws {
        #expect(try world.pairs() == EdgeWorld.allowed)
        let before = try world.endpoints()
        #expect(before["lab/spy"]?.state == .ready && before["lab/client"]?.state == .ready)
        try world.ip(in: "spy", "addr add 10.244.7.11/32 dev eth0")
        // What anybody sends from or to the client's address, it now takes for its own.
        try expectUnchanged(before, pairs: ["client>server", "spy>client"])
        let spoofed = try drops("NP_DROP_SPOOFED_SOURCE")
        #expect(try !world.reaches(world.network.namespace("spy"), from: "10.244.7.11", to: "10.244.7.10"))
        #expect(try drops("NP_DROP_SPOOFED_SOURCE") > spoofed)
        // It gives its own away too.
        try world.ip(in: "spy", "addr del 10.244.7.12/32 dev eth0")
        for _ in 0..<2 { try world.agent.settle() }
        #expect(try world.endpoints() == before)
        #expect(try world.pairs(["server", "client"]) == ["client>server"])
    }

    @Test("it moves its addresses to lo: it stays enforced")
    func movesToLoopback() throws {
        let before = try world.endpoints()
        try world.ip(in: "spy", "addr del 10.244.7.12/32 dev eth0", "addr add 10.244.7.12/32 dev lo")
        try world.ip(in: "spy", world.routes(over: "np2"))
        try expectUnchanged(before, pairs: EdgeWorld.allowed)
    }

    @Test("it flushes its addresses, and takes them back: it was enforced all the time")
    func flushes() throws {
        let before = try world.endpoints()
        try world.ip(in: "spy", "addr flush dev eth0")
        for _ in 0..<2 { try world.agent.settle() }
        #expect(try world.endpoints() == before)
        try world.ip(in: "spy", ["addr add 10.244.7.12/32 dev eth0"] + world.routes(over: "np2"))
        // At once: no look of the agent may be needed.
        #expect(try world.pairs() == EdgeWorld.allowed)
    }

    @Test("it moves eth0 to a namespace of its own: whatever sends from there is the pod")
    func movesInterface() throws {
        let before = try world.endpoints()
        let path = "\(world.network.folder)/hiding"
        let hiding = try NetworkNamespace.create(at: path)
        defer { try? NetworkNamespace.remove(at: path) }
        try world.ip(in: "spy", "link set eth0 netns \(path)")
        func ip(_ command: String) throws {
            let status = try hiding.run { system("ip \(command)") }
            #expect(status == 0, "ip \(command)")
        }
        for command in try ["link set eth0 up", "addr add 10.244.7.12/32 dev eth0"] + world.routes(over: "np2") {
            try ip(command)
        }
        try world.serve(in: hiding)
        for _ in 0..<2 { try world.agent.settle() }
        var rows = try world.endpoints()
        #expect(rows["lab/spy"]?.state == .ready && rows["lab/spy"]?.interface == "np2")
        // The namespace's name is all that changed.
        rows["lab/spy"]?.netns = before["lab/spy"]?.netns
        #expect(rows == before)
        #expect(try !world.reaches(hiding, from: "10.244.7.12", to: "10.244.7.10"))
        #expect(try !world.reaches(hiding, from: "10.244.7.12", to: "10.244.7.11"))
        #expect(try !world.reaches(world.network.namespace("server"), from: "10.244.7.10", to: "10.244.7.12"))
        // Not because nothing gets there.
        #expect(try world.reaches(world.network.namespace("client"), from: "10.244.7.11", to: "10.244.7.12"))
        #expect(try world.agent.waitCode() == 0)
    }

    private func drops(_ reason: String) throws -> UInt64 {
        try world.agent.status().reasons.first { $0.reason == reason }?.count.packets ?? 0
    }
}
