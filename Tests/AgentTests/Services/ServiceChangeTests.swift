import BPFEmit
import NetTypes
import NetpoldTestSupport
import PolicyAPI
import PolicyIR
import Testing

@testable import Agent

@Suite("Endpoints of Services as they come and go reach the tables")
struct ServiceChangeTests {
    private static let pods = """
        {apiVersion: v1, kind: Pod, metadata: {name: web, namespace: shop, labels: {app: web}}, spec: {nodeName: node-1}, status: {podIP: 10.0.0.1}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: a, namespace: shop, labels: {app: dns}}, spec: {nodeName: node-1}, status: {podIP: 10.0.0.2}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: b, namespace: shop, labels: {app: dns}}, spec: {nodeName: node-1}, status: {podIP: 10.0.0.3}}
        ---
        {apiVersion: v1, kind: Service, metadata: {name: dns, namespace: shop}, spec: {clusterIP: 10.96.0.1, selector: {app: dns}, ports: [{name: dns, port: 53, protocol: UDP}]}}
        ---
        {apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: out, namespace: shop}, spec: {podSelector: {matchLabels: {app: web}}, policyTypes: [Egress], egress: [{to: [{podSelector: {matchLabels: {app: dns}}}]}]}}
        """

    /// One slice with an endpoint for each address and its conditions.
    private static func slice(_ endpoints: [(address: String, conditions: String)]) -> ClusterObject? {
        let list = endpoints.map { "{addresses: [\($0.address)], conditions: {\($0.conditions)}}" }
        let text = """
            {apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, addressType: IPv4, metadata: {name: dns-1, namespace: shop, labels: {kubernetes.io/service-name: dns}}, ports: [{name: dns, port: 5353, protocol: UDP}], endpoints: [\(list.joined(separator: ", "))]}
            """
        return decode(text).objects.endpointSlices.first.map(ClusterObject.endpointSlice)
    }

    private static func objects() -> [ClusterObject] { Array(decode(pods).objects.each) }

    private static func backends(_ image: NodeImage) -> [String] {
        image.services.first { "\($0.address)" == "10.96.0.1" }?.backends.map(\.description) ?? ["no frontend"]
    }

    private static func desired(_ changes: [ObjectChange], _ generation: UInt64) -> DesiredChanges {
        DesiredChanges(generation: generation, node: "node-1", changes: changes, links: [:], stubs: [])
    }

    private static let ready = "ready: true"
    private static let leaving = "ready: false, serving: true, terminating: true"
    private static let gone = "ready: false, serving: false, terminating: true"

    @Test("endpoints that terminate are used as kube-proxy does: only where none is ready, and only while they serve")
    func draining() throws {
        var compiler = NodePolicyCompiler()
        _ = try compiler.compile(Self.desired(Self.objects().map { .upsert($0) }, 1))
        let steps: [(endpoints: [(String, String)], expected: [String])] = [
            ([("10.0.0.2", Self.ready), ("10.0.0.3", Self.ready)], ["10.0.0.2:5353", "10.0.0.3:5353"]),
            ([("10.0.0.2", Self.leaving), ("10.0.0.3", Self.ready)], ["10.0.0.3:5353"]),
            ([("10.0.0.2", Self.leaving), ("10.0.0.3", Self.leaving)], ["10.0.0.2:5353", "10.0.0.3:5353"]),
            ([("10.0.0.2", Self.gone), ("10.0.0.3", Self.leaving)], ["10.0.0.3:5353"]),
            ([("10.0.0.2", Self.gone), ("10.0.0.3", Self.gone)], []),
            ([("10.0.0.2", Self.ready)], ["10.0.0.2:5353"]),
            ([], []),
        ]
        for (number, step) in steps.enumerated() {
            let slice = try #require(Self.slice(step.endpoints.map { (address: $0.0, conditions: $0.1) }))
            let node = try compiler.compile(Self.desired([.upsert(slice)], UInt64(number + 2)))
            #expect(Self.backends(node.image) == step.expected, "step \(number)")
        }
    }

    @Test(
        "a slice that changes which pods are behind a Service changes no program and no identity, translated or observed"
    )
    func nothingCompiled() throws {
        for mode in [ServiceMode.translate, .observe] {
            let first = try #require(Self.slice([("10.0.0.2", Self.ready)]))
            var state = CompilerState(
                decode(Self.pods).objects, localNode: "node-1", serviceSettings: ServiceSettings(mode: mode))
            _ = state.apply([.upsert(first)])
            let before = state.image
            let second = try #require(Self.slice([("10.0.0.2", Self.ready), ("10.0.0.3", Self.ready)]))
            let delta = state.apply([.upsert(second)])
            var expected = NodeDelta()
            expected.changesServices = mode == .translate
            #expect(delta == expected, "\(mode)")
            #expect(state.image.subjects == before.subjects)
            // Other pods behind it are another matter: what policies say of them counts where they are only observed.
            let foreign = try #require(Self.slice([("10.0.0.2", Self.ready), ("10.0.0.1", Self.ready)]))
            let changed = state.apply([.upsert(foreign)])
            #expect(changed.programs.isEmpty == (mode == .translate))
        }
    }

    @Test("an agent puts a changed slice in force, and the status says what it does about Services")
    func throughTheAgent() async throws {
        let scratch = try ScratchFolder()
        let world = FakeWorld()
        world.state.withLock { state in
            state.snapshot = ["a.yaml": ManifestFile(objects: Self.objects(), refused: [])]
            state.node = Fixtures.host([(7, "10.0.0.1")])
        }
        let running = try RunningService(
            world, socket: scratch.file("s"),
            services: ServiceChoice(asked: .translate, findings: []), compiler: NodePolicyCompiler())
        await running.start()
        // Without slices the endpoints are the pods.
        #expect(world.state.withLock { $0.images.last.map(Self.backends) } == ["10.0.0.2:53", "10.0.0.3:53"])
        let slice = try #require(Self.slice([("10.0.0.3", Self.ready)]))
        world.change { $0.snapshot["b.yaml"] = ManifestFile(objects: [slice], refused: []) }
        #expect(
            await eventually { world.state.withLock { $0.images.last.map(Self.backends) } == ["10.0.0.3:5353"] })

        let client = try WaitingClient(path: scratch.file("s"))
        try client.send(.status)
        guard case .status(let status) = try await client.next() else { throw TestFailure("no status") }
        #expect(status.services?.mode == "translate")

        // What found no room is a severe condition, and goes when it fits.
        world.change { $0.servicesLeftOut = ["10.96.0.9 port 80/TCP"] }
        world.change {
            $0.snapshot["c.yaml"] = ManifestFile(objects: [.pod(Fixtures.pod("x", "10.0.0.9"))], refused: [])
        }
        let isSaid = { running.service.health.problems.contains { $0.subject == "Services" } }
        #expect(await eventually { isSaid() })
        world.change { $0.servicesLeftOut = [] }
        world.change { $0.snapshot["c.yaml"] = nil }
        world.change {
            $0.snapshot["d.yaml"] = ManifestFile(objects: [.pod(Fixtures.pod("y", "10.0.0.8"))], refused: [])
        }
        #expect(await eventually { !isSaid() })
    }
}
