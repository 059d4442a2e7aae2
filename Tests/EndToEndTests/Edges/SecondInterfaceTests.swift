import Agent
import Datapath
import Glibc
import Testing

/// Every way out of a pod is enforced, or said not to be.
@Suite("edges: pods with other interfaces than one veth", .enabled(if: geteuid() == 0, "needs root"), .serialized)
struct SecondInterfaceTests {
    private let world: EdgeWorld

    init() throws { world = try EdgeWorld() }

    /// A second veth into the spy: `np9` on the node, `name` inside.
    private func addVeth(_ name: String, inside: String, on node: String...) throws {
        try world.ip(
            "link add np9 type veth peer name \(name) netns \(world.network.podsFolder)/spy", "link set np9 up")
        for command in node { try world.ip(command) }
        try world.ip(in: "spy", "link set \(name) up", "addr add \(inside) dev \(name)")
    }

    @Test("a second veth, net1, is enforced: by it the pod reaches no more, and from no address but its own")
    func secondVeth() throws {
        try world.agent.start()
        #expect(try world.pairs() == EdgeWorld.allowed)
        try addVeth("net1", inside: "192.168.5.5/24", on: "addr add 192.168.5.1/24 dev np9")
        #expect(try world.agent.waitCode() == 0)
        let row = try #require(try world.endpoints()["lab/spy"])
        #expect(row.state == .ready)
        #expect(row.interface == "np2,np9")
        // Everything goes out by net1 now.
        try world.ip(in: "spy", "route replace default via 192.168.5.1 dev net1")
        let spy = try world.network.namespace("spy")
        #expect(try !world.reaches(spy, from: "10.244.7.12", to: "10.244.7.10"))
        #expect(try !world.reaches(spy, from: "192.168.5.5", to: "10.244.7.10"))
        #expect(try !world.reaches(world.network.namespace("server"), from: "10.244.7.10", to: "192.168.5.5"))
        let reasons = try world.agent.status().reasons.map(\.reason)
        #expect(reasons.contains("NP_DROP_SPOOFED_SOURCE") && reasons.contains("NP_DROP_POLICY_DEFAULT"))
    }

    @Test("IPv4 on one interface and IPv6 on another: both are the pod's, and both families are enforced")
    func familiesApart() throws {
        try world.write(pods: [
            EdgeWorld.server, EdgeWorld.client, EdgeWorld.pod("spy", "10.244.7.12", "fd00:7::12"),
        ])
        try addVeth(
            "eth1", inside: "fd00:7::12/128 nodad", on: "route add fd00:7::12/128 dev np9",
            "-6 addr add fe80::9/64 dev np9 nodad")
        try world.ip(in: "spy", "-6 route add default via fe80::9 dev eth1")
        let reach = { [world] (from: String, source: String, to: String) in
            try world.reaches(world.network.namespace(from), from: source, to: to)
        }
        // The way there is open as long as nobody enforces.
        #expect(try reach("spy", "fd00:7::12", "fd00:7::10"))
        #expect(try reach("client", "fd00:7::11", "fd00:7::12"))
        try world.agent.start()
        #expect(try world.agent.waitCode() == 0)
        #expect(try world.endpoints()["lab/spy"]?.interface == "np2,np9")
        #expect(try world.pairs() == EdgeWorld.allowed)
        #expect(try !reach("spy", "fd00:7::12", "fd00:7::10"))
        #expect(try !reach("server", "fd00:7::10", "fd00:7::12"))
        #expect(try reach("client", "fd00:7::11", "fd00:7::12"))
    }

    @Test("a pod on a macvlan has no hook to be enforced at, and that is a severe condition that says so")
    func macvlan() throws {
        let path = "\(world.network.podsFolder)/mac"
        let namespace = try NetworkNamespace.create(at: path)
        try world.ip(
            "link add link npworld name mac0 type macvlan mode bridge",
            "link set mac0 netns \(path)")
        for command in ["link set mac0 name eth0", "addr add 10.244.7.50/24 dev eth0", "link set eth0 up"] {
            #expect(try namespace.run { system("ip \(command)") } == 0)
        }
        try world.write(pods: [
            EdgeWorld.server, EdgeWorld.client, EdgeWorld.spy, EdgeWorld.pod("mac", "10.244.7.50"),
        ])
        try world.agent.start()
        #expect(try world.agent.waitCode() == 1)
        let severe = try world.agent.status().conditions.filter(\.isSevere)
        #expect(severe.map(\.kind) == [.podUnenforced])
        #expect(severe.map(\.subject) == ["lab/mac"])
        #expect(severe.first?.message.contains("eth0 (macvlan)") == true)
        let row = try world.endpoints()["lab/mac"]
        #expect(row?.state == .unenforced)
        #expect(row?.reason?.contains("macvlan") == true)
        #expect(try world.pairs() == EdgeWorld.allowed)
    }

    @Test("a macvlan beside an enforced veth is a severe condition")
    func macvlanBeside() throws {
        try world.ip(
            "link add link npworld name mac0 type macvlan mode bridge",
            "link set mac0 netns \(world.network.podsFolder)/spy")
        try world.agent.start()
        #expect(try world.agent.waitCode() == 1)
        let severe = try world.agent.status().conditions.filter(\.isSevere)
        #expect(severe.map(\.kind) == [.interfaceUnenforced])
        #expect(severe.first?.subject == "lab/spy")
        #expect(try world.endpoints()["lab/spy"]?.reason?.contains("mac0 (macvlan)") == true)
    }

    @Test("an ifb in a pod, which can take its packets past the programs, is a severe condition")
    func ifb() throws {
        try world.ip(in: "spy", "link add ifb7 type ifb")
        try world.agent.start()
        #expect(try world.agent.waitCode() == 1)
        let severe = try world.agent.status().conditions.filter(\.isSevere)
        #expect(severe.map(\.kind) == [.interfaceUnenforced])
        #expect(severe.first?.subject == "lab/spy")
        #expect(severe.first?.message.contains("ifb7 (ifb)") == true)
        #expect(try world.pairs() == EdgeWorld.allowed)
    }

    @Test("a macvlan that a pod has made on its interface and moved to the node is a severe condition")
    func macvlanMovedOut() throws {
        try world.ip(
            in: "spy", "link add link eth0 name mv1 type macvlan mode bridge",
            "link set mv1 netns \(world.network.nodePath)")
        try world.agent.start()
        #expect(try world.agent.waitCode() == 1)
        let severe = try world.agent.status().conditions.filter(\.isSevere)
        #expect(severe.map(\.kind) == [.evidenceUnreadable])
        #expect(severe.first?.subject == "interface mv1")
        #expect(severe.first?.message.contains("macvlan stands on an interface in a pod's network namespace") == true)
    }
}
