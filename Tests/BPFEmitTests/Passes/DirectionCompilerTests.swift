import NetTypes
import NetpoldTestSupport
import PolicyAPI
import PolicyIR
import Testing

@testable import BPFEmit

@Suite("Pass: rules to bits")
struct DirectionCompilerTests {
    private typealias Traffic = PolicyBits.ResolvedTraffic

    /// Three pods: `web` calls 8080 "http", `api` 80, `db` has no such port.
    private struct World {
        var index = IdentityIndex(ClusterObjects(), policies: [], localNode: "node-1")
        var classes: [String: IdentityIndex.ClassID] = [:]
        var remotes: [String: IdentityIndex.RemoteID] = [:]

        init() {
            let ports = [
                "web": [ContainerPort(name: "http", protocol: .tcp, port: 8080)],
                "api": [
                    ContainerPort(name: "http", protocol: .tcp, port: 80),
                    ContainerPort(name: "dns", protocol: .udp, port: 53),
                ],
                "db": [],
            ]
            for (place, name) in ["web", "api", "db"].enumerated() {
                let address = RandomCluster.addresses("10.0.0.\(place + 1)")[0]
                let pod = Pod(
                    metadata: ObjectMeta(name: name, namespace: "shop", labels: ["app": name]),
                    ports: ports[name] ?? [], addresses: [address])
                let podClass = index.podClass(of: pod)
                let remote = index.remote(of: podClass, at: address)
                index.retain(remote)
                classes[name] = podClass
                remotes[name] = remote
            }
        }

        mutating func compile(_ rules: [PolicyRule], _ direction: Direction, subject: String) -> DirectionCompiler {
            let policy = SubjectPolicy(
                [DirectionRules(isolates: true, rules: rules)], isolatedBy: [.test("isolating")])
            let peers = policy.rules.map { DirectionPolicies.terms(of: $0.peers, in: &index) }
            return DirectionCompiler(policy, direction, peers: peers, subject: classes[subject] ?? -1, in: &index)
        }
    }

    private static func rule(
        _ peers: PeerMatch, _ traffic: TrafficMatch, _ action: RuleAction = .allow, l7: L7Match? = nil
    ) -> PolicyRule {
        PolicyRule(action: action, peers: peers, traffic: traffic, l7: l7, origin: .test("policy"))
    }

    /// Pods with a label.
    private static func pods(_ app: String) -> Peer {
        .pods(.named("shop"), LabelSelector([LabelRequirement(key: "app", operator: .isIn, values: [app])]))
    }

    @Test("a rule is a bit with its peers' terms; equal peers are one term, everyone is none")
    func peers() {
        var world = World()
        let compiled = world.compile(
            [
                Self.rule(.anyOf([Self.pods("web"), Self.pods("api")]), .everything),
                Self.rule(.anyOf([Self.pods("api")]), .everything), Self.rule(.everyone, .everything),
            ], .ingress, subject: "db")
        #expect(compiled.bits.map(\.rule.rule) == [0, 1, 2])
        #expect(compiled.bits.map(\.matchesAnyPeer) == [false, false, true])
        #expect(compiled.carriers.map(\.terms?.count) == [2, 1, nil])
        #expect(compiled.carriers[0].terms?[1] == compiled.carriers[1].terms?[0])
        #expect(compiled.names.isEmpty)
    }

    @Test("a rule for nobody, or for no packet, has no bit, and the others keep their rules' numbers")
    func nothing() {
        var world = World()
        let compiled = world.compile(
            [
                Self.rule(.anyOf([]), .everything), Self.rule(.everyone, .anyOf([])),
                Self.rule(.everyone, .anyOf([.named(.tcp, "gone")])), Self.rule(.everyone, .everything),
            ], .ingress, subject: "db")
        #expect(compiled.bits.map(\.rule.rule) == [3])
        #expect(compiled.carriers.count == 1)
    }

    @Test("on ingress a name is the subject's own port, in one bit with the numbers")
    func ingressNames() {
        var world = World()
        let rules = [
            Self.rule(.everyone, .anyOf([.named(.tcp, "http"), .ports(.udp, .init(53)), .named(.udp, "http")]))
        ]
        let compiled = world.compile(rules, .ingress, subject: "web")
        #expect(compiled.bits.map(\.traffic) == [[Traffic(.tcp, .init(8080)), Traffic(.udp, .init(53))]])
        #expect(world.compile(rules, .ingress, subject: "db").bits.map(\.traffic) == [[Traffic(.udp, .init(53))]])
        #expect(compiled.names.isEmpty)
    }

    @Test("on egress a name is a bit for each number that an end has it under, carried by those ends alone")
    func egressNames() {
        var world = World()
        let all = PeerMatch.anyOf([Self.pods("web"), Self.pods("api"), Self.pods("db")])
        let compiled = world.compile(
            [Self.rule(all, .anyOf([.named(.tcp, "http"), .ports(.tcp, .init(443))]))], .egress, subject: "web")
        let http = TrafficResolver.PortName(name: "http", protocol: .tcp)
        #expect(
            compiled.bits.map(\.traffic) == [
                [Traffic(.tcp, .init(443))], [Traffic(.tcp, .init(80))], [Traffic(.tcp, .init(8080))],
            ])
        #expect(compiled.bits.map(\.rule.rule) == [0, 0, 0])
        #expect(compiled.carriers.map(\.port) == [nil, .init(name: http, number: 80), .init(name: http, number: 8080)])
        #expect(compiled.carriers.allSatisfy { $0.terms?.count == 3 })
        #expect(compiled.names == [http])
    }

    @Test("on egress to everyone a name still asks each pod, and nobody else carries its bits")
    func egressNamesOfEveryone() {
        var world = World()
        let compiled = world.compile(
            [Self.rule(.everyone, .anyOf([.named(.tcp, "http")]))], .egress, subject: "web")
        #expect(compiled.bits.map(\.traffic) == [[Traffic(.tcp, .init(80))], [Traffic(.tcp, .init(8080))]])
        #expect(compiled.bits.allSatisfy { !$0.matchesAnyPeer })
    }

    @Test("of many names on egress those count that ends have, as of one")
    func manyEgressNames() {
        var world = World()
        let names = (0..<40).map { TrafficClause.named(.tcp, "none-\($0)") }
        let compiled = world.compile(
            [Self.rule(.everyone, .anyOf(names + [.named(.tcp, "http"), .named(.tcp, "dns")]))], .egress, subject: "web"
        )
        #expect(compiled.bits.map(\.traffic) == [[Traffic(.tcp, .init(80))], [Traffic(.tcp, .init(8080))]])
        #expect(compiled.names.count == 42)
    }

    @Test(
        "a rule of many ports says whether TCP matches wherever UDP does, as one of a few does",
        arguments: [3, 40] as [UInt16])
    func coversTCP(count: UInt16) {
        let udp = (1...count).map { TrafficClause.ports(.udp, PortRange($0)) }
        let tcp = (1...count).map { TrafficClause.ports(.tcp, PortRange($0)) }
        #expect(TrafficMatch.anyOf(udp + tcp).coversTCPOfUDP)
        #expect(!TrafficMatch.anyOf(udp + tcp.dropLast()).coversTCPOfUDP)
        #expect(TrafficMatch.anyOf(tcp + udp.dropLast()).coversTCPOfUDP)
        #expect(!TrafficMatch.anyOf(udp + tcp + [.named(.udp, "dns")]).coversTCPOfUDP)
    }

    @Test("prefixes that differ in their exceptions are one term")
    func joinedPrefixes() throws {
        var world = World()
        let peers = try ["192.0.2.1/32", "192.0.2.2/32", "192.0.2.3/32"].map {
            try Peer.addresses(prefix("192.0.2.0/24"), except: [prefix($0)], .everywhere)
        }
        let compiled = world.compile([Self.rule(.anyOf(peers), .everything)], .egress, subject: "web")
        #expect(compiled.carriers.map(\.terms?.count) == [1])
    }

    @Test("a deny rule that names ports is also one for whoever is unknown, on every port of the protocols")
    func deniedNames() {
        var world = World()
        let compiled = world.compile(
            [Self.rule(.anyOf([Self.pods("db")]), .anyOf([.named(.udp, "dns"), .named(.tcp, "http")]), .deny)],
            .egress, subject: "web")
        #expect(compiled.bits.map(\.traffic) == [[Traffic(.tcp, .all), Traffic(.udp, .all)]])
        #expect(compiled.carriers == [.init(terms: [], port: nil)])
    }

    @Test("a bit knows its rule: tier, priority, order, action, L7 and origin")
    func everyField() {
        var world = World()
        let plain = PolicyRule(
            tier: .admin, priority: 7, order: 3, action: .pass, peers: .everyone, traffic: .everything,
            origin: .test("admin", "spec.ingress[3]"))
        let dns = Self.rule(.everyone, .anyOf([.ports(.udp, .init(53))]), l7: .serverNames([]))
        let compiled = world.compile([plain, dns], .egress, subject: "web")
        let bit = PolicyBits.Bit(
            rule: RuleBit(
                rule: 0, action: .pass, isL7: false, origin: .test("admin", "spec.ingress[3]"), coversTCP: true),
            tier: .admin, priority: 7, order: 3, matchesAnyPeer: true, traffic: nil)
        // Those with L7 conditions come first, so that all of them are in the first word.
        #expect(compiled.bits.last == bit)
        #expect(compiled.bits.map(\.rule.isL7) == [true, false])
        #expect(compiled.bits.first?.rule.l7 == .serverNames([]))
    }

    @Test("named numbers are sorted by number, each once, whoever has them")
    func namedNumbers() {
        let world = World()
        let names = [("http", L4Protocol.tcp), ("dns", .udp), ("gone", .tcp)].map {
            TrafficResolver.PortName(name: $0.0, protocol: $0.1)
        }
        let remotes = ["web", "api", "db", "web"].compactMap { world.remotes[$0] }
        let found = NamedNumber.all(of: names, at: remotes, in: world.index)
        #expect(found.map(\.number) == [53, 80, 8080])
        #expect(found.map(\.name.name) == ["dns", "http", "http"])
        #expect(found[0].traffic == Traffic(.udp, .init(53)))
        #expect(NamedNumber.all(of: names, at: [], in: world.index).isEmpty)
    }
}
