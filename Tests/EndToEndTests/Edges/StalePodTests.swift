import Agent
import Glibc
import Testing

/// What Pod objects say too much or no longer takes no enforcement away.
@Suite("edges: Pod objects that come twice or go", .enabled(if: geteuid() == 0, "needs root"), .serialized)
struct StalePodTests {
    private let world: EdgeWorld

    init() throws {
        world = try EdgeWorld()
        try world.agent.start()
    }

    @Test("a second object with a pod's address takes no enforcement off it, and its address is nobody's meanwhile")
    func secondObject() throws {
        let before = try world.endpoints()
        let stale = EdgeWorld.pod("astale", "10.244.7.11")
        try world.write(pods: [EdgeWorld.server, EdgeWorld.client, EdgeWorld.spy, stale])
        let status = try world.agent.status()
        #expect(status.conditions.map(\.kind).contains(.addressConflict))
        let row = try world.endpoints()["lab/client"]
        #expect(row?.state == .ready && row?.interface == before["lab/client"]?.interface)
        // Isolated as before; what was allowed to it as `app: client` is not while anybody could be that.
        #expect(try world.pairs() == [])
        try world.write(pods: [EdgeWorld.server, EdgeWorld.client, EdgeWorld.spy])
        try world.agent.settle()
        #expect(try world.endpoints() == before)
        #expect(try world.pairs() == EdgeWorld.allowed)
    }

    @Test("a pod whose object is gone keeps its enforcement and its labels for others, and a later deny reaches it")
    func orphan() throws {
        try world.write(pods: [EdgeWorld.server, EdgeWorld.spy])
        try world.agent.settle()
        let row = try world.endpoints()["lab/client"]
        #expect(row?.state == .orphan)
        #expect(row?.reason?.contains("no such Pod object any more") == true)
        #expect(row?.addresses == ["10.244.7.11", "fd00:7::11"])
        #expect(try world.agent.waitCode() == 1)
        #expect(try world.agent.status().conditions.filter(\.isSevere).map(\.kind) == [.podObjectGone])
        #expect(try world.pairs() == EdgeWorld.allowed)

        try world.agent.write(
            "later.yaml",
            """
            apiVersion: networking.k8s.io/v1
            kind: NetworkPolicy
            metadata: {name: later, namespace: lab}
            spec: {podSelector: {matchLabels: {app: client}}, policyTypes: [Egress]}
            """)
        try world.agent.settle()
        #expect(try world.pairs() == [])
    }

    @Test("the address of a pod whose object is gone goes to the pod that claims it now")
    func reuse() throws {
        try world.write(pods: [EdgeWorld.server, EdgeWorld.spy, EdgeWorld.pod("next", "10.244.7.11", node: "node-2")])
        try world.agent.settle()
        let row = try world.endpoints()["lab/client"]
        #expect(row?.state == .orphan)
        #expect(row?.addresses == ["fd00:7::11"])
        #expect(try world.pairs() == [])
    }

    @Test("a pod made again under its name gets its own interface; the old one stays the old pod's")
    func madeAgain() throws {
        let again = EdgeWorld.pod("client", "10.244.7.99", uid: "00000000-0000-4000-8000-000000000099")
        try world.write(pods: [EdgeWorld.server, again, EdgeWorld.spy])
        try world.agent.settle()
        let rows = try world.endpoints()
        let old = rows["lab/client@\(EdgeWorld.uids["client"] ?? "")"]
        #expect(old?.state == .orphan && old?.interface == "np1")
        #expect(rows["lab/client"]?.interface == nil)
        #expect(try world.pairs() == EdgeWorld.allowed)
    }
}
