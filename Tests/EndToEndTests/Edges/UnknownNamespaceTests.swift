import Agent
import Datapath
import Glibc
import NetTypes
import Testing

/// Namespaces for which there is no Pod object.
@Suite("edges: unknown namespaces", .enabled(if: geteuid() == 0, "needs root"), .serialized)
struct UnknownNamespaceTests {
    private let world: EdgeWorld

    init() throws { world = try EdgeWorld(pods: [EdgeWorld.server, EdgeWorld.client]) }

    /// Whether the node itself reaches the spy.
    private func nodeReachesSpy() throws -> Bool {
        try world.reaches(world.network.routed.node, from: "10.244.0.254", to: "10.244.7.12")
    }

    @Test("by default a folder leaves them alone, lists them, and says so")
    func byDefault() throws {
        try world.note("spy", interface: "np2", "10.244.7.12")
        try world.agent.start()
        let row = try world.endpoints()["netns spy"]
        #expect(row?.state == .unenforced)
        #expect(row?.reason?.contains("--unknown isolate") == true)
        #expect(try world.agent.waitCode() == 1)
        #expect(try world.agent.status().conditions.filter(\.isSevere).map(\.kind) == [.unenforcedNamespace])
        // The server is closed to it; it is open to everybody.
        #expect(try world.pairs() == ["client>server", "client>spy", "server>spy"])
    }

    @Test("isolate: one that is a pod's is reached by the node, and by nobody else, and reaches nobody")
    func isolate() throws {
        try world.note("spy", interface: "np2", "10.244.7.12")
        try world.agent.start(["--unknown", "isolate"])
        let row = try world.endpoints()["netns spy"]
        #expect(row?.state == .isolated && row?.evidence == "cniCache")
        #expect(row?.reason?.contains("only the node reaches it") == true)
        #expect(try world.pairs() == ["client>server"])
        #expect(try nodeReachesSpy())
        #expect(try !world.reaches(world.network.namespace("spy"), from: "10.244.7.12", to: "10.244.0.254"))
        #expect(try world.agent.waitCode() == 0)
        // Its object comes, and it is a pod as every other.
        try world.write(pods: [EdgeWorld.server, EdgeWorld.client, EdgeWorld.spy])
        try world.agent.settle()
        #expect(try world.endpoints()["lab/spy"]?.state == .ready)
        #expect(try world.pairs() == EdgeWorld.allowed)
        // It goes again: never back to less.
        try world.write(pods: [EdgeWorld.server, EdgeWorld.client])
        try world.agent.settle()
        #expect(try world.endpoints()["lab/spy"]?.state == .orphan)
        #expect(try world.pairs() == EdgeWorld.allowed)
    }

    @Test("isolate leaves alone what nothing says is a pod's, and lists it")
    func foreign() throws {
        try world.agent.start(["--unknown", "isolate"])
        #expect(try world.endpoints()["netns spy"]?.state == .unenforced)
        #expect(try world.pairs() == ["client>server", "client>spy", "server>spy"])
        #expect(try world.agent.ask("status").output.contains("belongs to no pod of the manifests"))
    }

    @Test("all-isolate isolates every mounted one")
    func allIsolate() throws {
        try world.agent.start(["--unknown", "all-isolate"])
        #expect(try world.endpoints()["netns spy"]?.state == .isolated)
        #expect(try world.pairs() == ["client>server"])
        #expect(try nodeReachesSpy())
        #expect(try world.agent.waitCode() == 0)
    }

    @Test("open: what was isolated or enforced by an earlier agent stays so")
    func open() throws {
        try world.note("spy", interface: "np2", "10.244.7.12")
        try world.agent.start(["--unknown", "isolate"])
        #expect(try world.pairs() == ["client>server"])
        world.agent.end(SIGTERM)
        try world.write(pods: [EdgeWorld.server])
        try world.agent.start(["--unknown", "open"])
        let rows = try world.endpoints()
        #expect(rows["netns spy"]?.state == .isolated)
        #expect(rows["lab/client"]?.state == .orphan)
        #expect(try world.pairs() == ["client>server"])
    }
}
