import BPFSimulate
import NetTypes
import NetpoldTestSupport
import PolicyAPI
import Testing

@testable import BPFEmit
@testable import PolicyIR

/// Names in compiled policies: columns, their numbers, and what has L7 conditions.
@Suite("Names and L7 in programs")
struct NameColumnTests {
    /// Two pods of `shop`, alike but for a label, and policies that select one or both.
    private struct World {
        var objects = ClusterObjects()
        var state: CompilerState

        init(_ policies: [CiliumPolicy] = [], answers: [String: [IPAddress]] = [:]) {
            objects.namespaces = [Namespace(metadata: ObjectMeta(name: "shop"))]
            for (number, name) in ["web", "api"].enumerated() {
                objects.pods.append(
                    Pod(
                        metadata: ObjectMeta(name: name, namespace: "shop", labels: ["app": name]), ports: [],
                        addresses: RandomCluster.addresses("10.0.0.\(number + 1)")))
            }
            objects.ciliumPolicies = policies
            objects.names = answers
            state = CompilerState(objects)
        }

        func egress(_ pod: String) throws -> PolicyImage {
            let endpoint = try #require(state.endpoints.first { $0.name == pod })
            return try #require(state.subject(endpoint.subject)).egress
        }
    }

    /// A policy of `shop` that allows names, for pods of `app` or for all, beside what `more` adds.
    private static func policy(
        _ name: String, app: String? = nil, _ lists: [[FQDNSelector]], more: (inout [CiliumElement]) -> Void = { _ in }
    ) -> CiliumPolicy {
        var elements = lists.enumerated().map { number, list in
            var element = CiliumElement(path: "spec.egress[\(number)]")
            element.fqdns = .some(list)
            return element
        }
        more(&elements)
        let selector =
            app.map { LabelSelector([LabelRequirement(source: "any", key: "app", operator: .isIn, values: [$0])]) }
            ?? LabelSelector()
        return CiliumPolicy(
            metadata: ObjectMeta(name: name, namespace: "shop"), isClusterwide: false,
            rules: [CiliumRule(subject: .endpoints(selector), egress: elements)])
    }

    @Test("a list of names is a column with its rules' bits, whatever the order of its names; it makes no identity")
    func columns() throws {
        let a = FQDNSelector.name("a.example")
        let b = FQDNSelector.pattern("*.b.example")
        let world = World(
            [Self.policy("names", [[a, b], [b], [b, a]])],
            answers: ["a.example": RandomCluster.addresses("192.0.2.1")])
        let image = try world.egress("web")
        #expect(image.columns.map(\.list) == [NameList([a, b]), NameList([b])])
        #expect(image.columns.map(\.number) == [0, 1])
        #expect(image.columns.map(\.words) == [[0b101], [0b010]])
        #expect(image.words == 0, "nobody carries a bit by identity")
        #expect(image.names > 0)
        #expect(world.state.image.prefixes.map(\.prefix.length) == [0, 0])
    }

    @Test("an address is let in by its names alone, and by none of them where it is a pod's")
    func decisions() throws {
        let pod = RandomCluster.addresses("10.0.0.2")[0]
        let outside = RandomCluster.addresses("192.0.2.1")[0]
        let other = RandomCluster.addresses("192.0.2.2")[0]
        let world = World(
            [Self.policy("names", [[.name("a.example")]])],
            answers: ["a.example": [outside, pod], "b.example": [other]])
        let simulator = try NodeSimulator(world.state.image)
        let web = RandomCluster.addresses("10.0.0.1")[0]
        func verdict(_ address: IPAddress) throws -> PolicyVerdict? {
            try simulator.decide(from: web, to: address, protocol: .tcp, port: 443).egress?.verdict
        }
        #expect(try verdict(outside) == .allow)
        #expect(try verdict(other) == .deny)
        #expect(try verdict(pod) == .deny)
    }

    @Test("columns keep their numbers while policies come and go, and pods with equal policies share them")
    func stableNumbers() throws {
        var world = World([Self.policy("first", [[.name("a.example")]])])
        let first = try world.egress("web")
        #expect(try world.egress("api") == first)
        _ = world.state.apply([
            .upsert(.ciliumPolicy(Self.policy("another", app: "web", [[.name("0.example")]])))
        ])
        let second = try world.egress("web")
        #expect(second.names == first.names)
        #expect(second.columns.map(\.list) == [NameList([.name("a.example")]), NameList([.name("0.example")])])
        #expect(second.columns.map(\.number) == [0, 1])
        _ = world.state.apply([.delete(ClusterObject.ciliumPolicy(Self.policy("first", [])).key)])
        let third = try world.egress("web")
        #expect(third.names == first.names)
        #expect(third.columns.map(\.number) == [1])
        // Who begins now finds the numbers of others with the same lists.
        _ = world.state.apply([
            .upsert(.ciliumPolicy(Self.policy("another", [[.name("0.example")]])))
        ])
        #expect(try world.egress("api").names == first.names)
        #expect(try world.egress("api").columns.map(\.number) == [1])
    }

    @Test("lists beyond the limit are left out and said; lists of policies that are gone make way under another number")
    func tooManyLists() throws {
        func lists(_ range: Range<Int>) -> [[FQDNSelector]] { range.map { [.name("n\($0).example")] } }
        var world = World([Self.policy("many", lists(100..<140))])
        var image = try world.egress("web")
        #expect(image.columns.count == 32)
        #expect(image.leftOut.count == 8)
        #expect(image.leftOut.allSatisfy { $0.reason == .columns })
        #expect(world.state.diagnostics.count { $0.id == .tooMany } == 8)
        let before = image.names
        _ = world.state.apply([.upsert(.ciliumPolicy(Self.policy("many", lists(131..<141))))])
        image = try world.egress("web")
        #expect(image.columns.count == 10)
        #expect(image.leftOut == [])
        #expect(image.names > before)
        #expect(world.state.diagnostics == [])
    }

    @Test("numbers are never given twice, and those of what was kept are not given anew")
    func numbering() {
        var columns = NameColumns()
        let a: Set<NameList> = [NameList([.name("a")])]
        let b: Set<NameList> = [NameList([.name("b")])]
        #expect(columns.numbering(of: "one", a) == 1)
        #expect(columns.numbering(of: "two", a) == 1)
        #expect(columns.numbering(of: "three", b) == 2)
        columns.forget("three")
        #expect(columns.numberings[2] == nil)
        #expect(columns.numbering(of: "three", b) == 3)
        #expect(columns.numbering(of: "one", []) == 0)
        #expect(columns.numbering(of: "one", a.union(b)) == 1)
        #expect(columns.columns(of: 1) == [NameList([.name("a")]): 0, NameList([.name("b")]): 1])
        var kept = NameColumns(numberings: columns.numberings, subjects: columns.subjects, next: columns.next)
        #expect(kept == columns)
        kept.skip(to: 70)
        #expect(kept.numbering(of: "four", [NameList([.name("c")])]) == 70)
        // What a file says that was written otherwise.
        let list = NameList([.name("a")])
        let odd = NameColumns(
            numberings: [0: [list], 5: [list, list], 9: (0..<33).map { NameList([.name("\($0)")]) }, 4: [list]],
            subjects: ["x": 5, "y": 4, "z": 9], next: 1)
        #expect(odd.numberings == [4: [list]])
        #expect(odd.subjects == ["y": 4])
        #expect(odd.next == 10)
    }

    @Test("rules with L7 conditions are in the first word; those beyond 64 are left out and said")
    func l7Word() throws {
        let world = World([
            Self.policy("l7", []) { elements in
                for number in 0..<200 {
                    var element = CiliumElement(path: "spec.egress[\(number)]")
                    element.cidrs = .some([IPPrefix(host: RandomCluster.addresses("198.51.100.\(number)")[0])])
                    var ports = PortRule(
                        ports: [PortProtocol(protocols: [.tcp], port: .range(PortRange(80)))],
                        path: "spec.egress[\(number)].toPorts[0]")
                    if number.isMultiple(of: 2) { ports.http = .some([Located(HTTPRule(method: "GET"))]) }
                    element.toPorts = .some([ports])
                    elements.append(element)
                }
            }
        ])
        let image = try world.egress("web")
        #expect(image.bits.prefix(64).allSatisfy { $0.isL7 })
        #expect(image.bits.dropFirst(64).allSatisfy { !$0.isL7 })
        #expect(image.bits.count == 164)
        #expect(image.leftOut.count == 36)
        #expect(image.leftOut.allSatisfy { $0.reason == .l7Bits })
        #expect(image.bits.first?.l7 == .http([Located(HTTPRule(method: "GET"))]))
    }

    @Test("a subject with names or L7 rules in either direction remembers all flows")
    func stateNeeds() throws {
        let world = World([Self.policy("names", app: "web", [[.name("a.example")]])])
        let web = try #require(world.state.endpoints.first { $0.name == "web" })
        let subject = try #require(world.state.subject(web.subject))
        #expect(subject.stateNeeds == StateNeeds(ingress: .always, egress: .always))
        let api = try #require(world.state.endpoints.first { $0.name == "api" })
        #expect(
            try #require(world.state.subject(api.subject)).stateNeeds == StateNeeds(ingress: .never, egress: .never))
    }

    @Test("a plain allow beside a DNS rule of the level says that the exchange is read; a deny and another port do not")
    func read() throws {
        let port53: [PolicyBits.ResolvedTraffic] = [.init(.udp, .init(53))]
        var dns = PolicyExamples.bit(0, l7: true, traffic: port53)
        dns.rule.l7 = .dns([])
        let bits = PolicyExamples.policy(
            [
                dns, PolicyExamples.bit(1, .deny, traffic: [.init(.udp, .init(54))]),
                PolicyExamples.bit(2, anyPeer: true, traffic: [.init(.udp, .init(53, 55))]),
            ], peers: [(7, [0b001]), (8, [0b010]), (9, [0b011])])
        let simulator = try PolicySimulator(PolicyEmitter.emit(bits))
        func ask(_ identity: UInt32, _ port: UInt16) throws -> PolicyAnswer {
            try simulator.ask(identity: identity, protocol: .udp, port: port)
        }
        #expect(try ask(7, 53) == PolicyAnswer(.allowRead, .rule, bit: 2))
        #expect(try ask(8, 53) == PolicyAnswer(.allow, .rule, bit: 2))
        #expect(try ask(100, 53) == PolicyAnswer(.allow, .rule, bit: 2))
        #expect(try ask(9, 54) == PolicyAnswer(.deny, .rule, bit: 1))
        #expect(try ask(7, 55) == PolicyAnswer(.allow, .rule, bit: 2))
    }

    @Test("an answer with L7 conditions names all bits that match, and no other")
    func allBits() throws {
        let port80: [PolicyBits.ResolvedTraffic] = [.init(.tcp, .init(80))]
        let bits = PolicyExamples.policy(
            [
                PolicyExamples.bit(0, l7: true, traffic: port80), PolicyExamples.bit(1, l7: true, anyPeer: true),
                PolicyExamples.bit(2, l7: true, traffic: [.init(.tcp, .init(81))]),
                PolicyExamples.bit(3, l7: true, traffic: port80),
            ], peers: [(7, [0b1101]), (8, [0b0001])])
        let simulator = try PolicySimulator(PolicyEmitter.emit(bits))
        func ask(_ identity: UInt32, _ port: UInt16) throws -> [Int] {
            try simulator.ask(identity: identity, protocol: .tcp, port: port).l7
        }
        #expect(try ask(7, 80) == [0, 1, 3])
        #expect(try ask(8, 80) == [0, 1])
        #expect(try ask(9, 80) == [1])
        #expect(try ask(7, 81) == [1, 2])
    }

    @Test("L7 bits of two words, or of a level with an order, are refused; so are columns out of order")
    func refused() {
        let l7 = PolicyExamples.bit(0, l7: true, anyPeer: true)
        let plain = PolicyExamples.bit(0, anyPeer: true)
        #expect(throws: EmitError.misplacedL7Bit(64)) {
            try PolicyEmitter.emit(PolicyExamples.policy([l7] + Array(repeating: plain, count: 63) + [l7]))
        }
        #expect(throws: EmitError.misplacedL7Bit(0)) {
            try PolicyEmitter.emit(
                PolicyExamples.policy([
                    PolicyExamples.bit(0, tier: .admin, priority: 1, l7: true, anyPeer: true),
                    PolicyExamples.bit(1, tier: .admin, priority: 1, order: 2, anyPeer: true),
                ]))
        }
        var policy = PolicyExamples.policy([PolicyExamples.bit(0)])
        for (numbers, words) in [([3, 3], [1]), ([32], [1]), ([0], [2])] as [([Int], [UInt64])] {
            policy.columns = numbers.map { .init(number: $0, list: NameList([]), words: words) }
            #expect(throws: EmitError.misplacedColumn(numbers.last ?? 0)) { try PolicyEmitter.emit(policy) }
        }
    }
}
