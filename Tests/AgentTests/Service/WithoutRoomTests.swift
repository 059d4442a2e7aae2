import BPFEmit
import NetTypes
import NetpoldTestSupport
import PolicyAPI
import PolicyIR
import Support
import Testing

@testable import Agent

/// What the agent says of policies and Services for which the kernel's tables have no room.
@Suite(.timeLimit(.minutes(3))) struct WithoutRoomTests {
    private let scratch: ScratchFolder
    private let world = FakeWorld()

    init() throws {
        scratch = try ScratchFolder()
        world.state.withLock { state in
            state.snapshot = [
                "a.yaml": ManifestFile(
                    objects: [
                        .pod(Fixtures.pod("web", "10.0.0.1")),
                        Fixtures.policy("small", app: "web", directions: [.ingress]), Self.policy(addresses: 1..<2),
                    ], refused: [])
            ]
            state.node = Fixtures.host([(7, "10.0.0.1")])
        }
    }

    private static func policy(addresses: Range<UInt32>) -> ClusterObject {
        .networkPolicy(
            NetworkPolicy(
                metadata: ObjectMeta(
                    name: "large", namespace: "shop", location: SourceLocation(file: "b.yaml", line: 3, column: 1)),
                podSelector: LabelSelector(), policyTypes: [.ingress],
                ingress: [
                    NetworkPolicyRule(
                        peers: addresses.map { .ipBlock(cidr: IPPrefix(host: IPAddress(ipv4: $0)), except: []) },
                        ports: [], path: "spec.ingress[0]")
                ], egress: []))
    }

    private static func service(externalIPs: Range<UInt32>) -> ClusterObject {
        var service = Service(
            metadata: ObjectMeta(name: "flood", namespace: "evil"), selector: ["app": "web"],
            ports: [ServicePort(protocol: .tcp, port: 80, target: .number(80))])
        service.externalIPs = externalIPs.map(IPAddress.init(ipv4:))
        return .service(service)
    }

    @Test(
        "a policy without room is a condition with its line and limit, and isolated in the listing, until it has room")
    func policies() async throws {
        let service = try RunningService(
            world, socket: scratch.file("s"), compiler: NodePolicyCompiler(prefixLimit: 3))
        await service.start()
        let client = try WaitingClient(path: scratch.file("s"))
        func states() async throws -> [String: PolicyReport] {
            try client.send(.list(ListRequest(.policies)))
            guard case .page(let page) = try await client.next(), let rows = PolicyReport.unwrap(page.rows) else {
                throw TestFailure("no rows")
            }
            return Dictionary(rows.map { ($0.name, $0) }) { first, _ in first }
        }
        #expect(try await states().mapValues(\.state) == ["small": .inForce, "large": .inForce])

        let apart = { service.service.health.problems.filter { $0.message.contains("no room for its prefixes") } }
        world.change {
            $0.snapshot["b.yaml"] = ManifestFile(objects: [Self.policy(addresses: 1..<5)], refused: [])
            $0.snapshot["a.yaml"]?.objects.removeAll { $0.key.name == "large" }
        }
        #expect(await eventually { apart().count == 1 })
        let said = try #require(apart().first)
        #expect(said.subject == "b.yaml")
        #expect(
            said.message.hasPrefix("b.yaml:3:1: error: NetworkPolicy shop/large: no room for its prefixes, 4; "),
            "\(said)")
        #expect(said.message.contains("may name 3") && said.message.contains("use fewer and larger prefixes"))
        let closed = try await states()
        #expect(closed.mapValues(\.state) == ["small": .inForce, "large": .isolated])
        #expect(closed["large"]?.reason?.contains("no room for its prefixes") == true)
        // Explanations are of what is in force.
        let image = try #require(world.state.withLock { $0.images.last })
        #expect(image.subjects.first?.ingress.isolatedBy.contains { $0.name == "large" && $0.isRefused } == true)

        world.change {
            $0.snapshot["b.yaml"] = ManifestFile(objects: [Self.policy(addresses: 1..<4)], refused: [])
        }
        #expect(await eventually { apart().isEmpty })
        #expect(try await states().mapValues(\.state) == ["small": .inForce, "large": .inForce])
        await service.stop()
    }

    @Test("addresses of Services without room are a severe condition that names whose they are")
    func services() async throws {
        var settings = ServiceSettings(mode: .translate)
        settings.room.addresses = 10
        let service = try RunningService(
            world, socket: scratch.file("s"), services: ServiceChoice(asked: .translate, findings: []),
            compiler: NodePolicyCompiler(services: settings))
        await service.start()
        let said = { service.service.health.problems.filter { $0.message.contains("no room for addresses") } }
        #expect(said().isEmpty)
        world.change {
            $0.snapshot["b.yaml"] = ManifestFile(objects: [Self.service(externalIPs: 1..<12)], refused: [])
        }
        #expect(await eventually { said().count == 1 })
        let client = try WaitingClient(path: scratch.file("s"))
        try client.send(.status)
        guard case .status(let status) = try await client.next() else { throw TestFailure("no status") }
        #expect(status.conditions.map(\.kind) == [.servicesLeftOut])
        #expect(said().first?.message.contains("11 external IPs of evil/flood") == true, "\(said())")
        world.change {
            $0.snapshot["b.yaml"] = ManifestFile(objects: [Self.service(externalIPs: 1..<11)], refused: [])
        }
        #expect(await eventually { said().isEmpty })
        await service.stop()
    }
}
