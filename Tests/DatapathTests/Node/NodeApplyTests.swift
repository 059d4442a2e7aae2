import BPFEmit
import CNetpoldABI
import NetTypes
import Testing

@testable import Datapath

@Suite("going from image to image", .needsRoot, .serialized)
struct NodeApplyTests {
    /// `egress`: nothing isolates it by default, so what ingress allows needs no state.
    private static func web(
        _ bits: [PolicyBits.Bit], peers: [UInt32: UInt64], egress: PolicyImage? = nil
    ) throws -> NodeImage {
        try NodeImages.node(subjects: [
            NodeImages.subject(ingress: NodeImages.policy(.ingress, bits, peers: peers), egress: egress)
        ])
    }

    @Test("each slot of np_steps holds a program")
    func steps() throws {
        let steps = try NodeDatapath.forTests().maps.steps
        #expect(steps.shape.capacity == Int(NP_STEP_COUNT.rawValue))
        for slot in 0..<NP_STEP_COUNT.rawValue {
            #expect(try steps.value(of: slot, initial: UInt32(0)) != nil, "slot \(slot)")
        }
    }

    @Test("equal images change nothing; a revoked flow stops, an allowed one goes on, a re-allowed one resumes")
    func revisions() throws {
        let node = try NodeDatapath.forTests()
        let probe = HookProbe(node: node)
        let closed = try NodeImages.policy(.egress, [], peers: [:])
        let both = try Self.web(
            [NodeImages.bit(0, port: 80), NodeImages.bit(1, port: 81)], peers: [NodeImages.clientID: 0b11],
            egress: closed)
        let first = try node.apply(both, links: [:])
        #expect(first.programsLoaded == 2)
        #expect(first.endpoints.map(\.revision) == [1])
        #expect(try node.apply(both, links: [:]).changedAnything == false)
        #expect(try probe.tcp(source: 5000, port: 80) == NP_REASON_ALLOWED)
        #expect(try probe.tcp(source: 5001, port: 81) == NP_REASON_ALLOWED)
        #expect(try probe.tcp(source: 5000, port: 80, flags: 0x10) == NP_REASON_ESTABLISHED)
        #expect(try probe.tcpReply(source: 5000, port: 80) == NP_REASON_REPLY)

        let only80 = try Self.web([NodeImages.bit(0, port: 80)], peers: [NodeImages.clientID: 1], egress: closed)
        #expect(try node.apply(only80, links: [:]).endpoints.map(\.revision) == [2])
        #expect(try probe.tcp(source: 5001, port: 81, flags: 0x10) == NP_DROP_POLICY_DEFAULT)
        #expect(try probe.tcpReply(source: 5001, port: 81) == NP_DROP_POLICY_DEFAULT)
        #expect(try probe.tcpReply(source: 5000, port: 80) == NP_REASON_REVALIDATED)
        #expect(try probe.tcp(source: 5000, port: 80, flags: 0x10) == NP_REASON_ESTABLISHED)

        _ = try node.apply(both, links: [:])
        #expect(try probe.tcp(source: 5001, port: 81, flags: 0x10) == NP_REASON_REVALIDATED)
        #expect(try probe.tcpReply(source: 5001, port: 81) == NP_REASON_REPLY)
    }

    @Test("without need for state, a revoked flow stops in both directions at its next packet too")
    func stateless() throws {
        let node = try NodeDatapath.forTests()
        let probe = HookProbe(node: node)
        let both = try Self.web(
            [NodeImages.bit(0, port: 80), NodeImages.bit(1, port: 81)], peers: [NodeImages.clientID: 0b11])
        _ = try node.apply(both, links: [:])
        for port in [80, 81] as [UInt16] {
            #expect(try probe.tcp(source: 5000, port: port) == NP_REASON_ALLOWED)
            #expect(try probe.tcpReply(source: 5000, port: port) == NP_REASON_ALLOWED)
            #expect(try probe.tcp(source: 5000, port: port, flags: 0x10) == NP_REASON_ALLOWED)
        }
        #expect(try node.rememberedFlows().isEmpty)
        _ = try node.apply(
            try Self.web([NodeImages.bit(0, port: 80)], peers: [NodeImages.clientID: 1]), links: [:])
        #expect(try probe.tcp(source: 5000, port: 81, flags: 0x10) == NP_DROP_POLICY_DEFAULT)
        #expect(try probe.tcpReply(source: 5000, port: 81) == NP_DROP_POLICY_DEFAULT)
        #expect(try probe.tcp(source: 5000, port: 80, flags: 0x10) == NP_REASON_ALLOWED)
        #expect(try probe.tcpReply(source: 5000, port: 80) == NP_REASON_ALLOWED)
    }

    @Test(
        "new pods with new labels load no program; pods that go are forgotten; a full peers map makes way for a larger one"
    )
    func inPlace() throws {
        let node = try NodeDatapath.forTests()
        let probe = HookProbe(node: node)
        func image(clients: Int) throws -> NodeImage {
            let numbers = (0..<UInt32(clients)).map { 1000 + $0 }
            let ingress = try NodeImages.policy(
                .ingress, [NodeImages.bit(0, port: 80)],
                peers: Dictionary(uniqueKeysWithValues: numbers.map { ($0, 1) }))
            return try NodeImages.node(
                subjects: [NodeImages.subject(ingress: ingress)],
                addresses: numbers.map { (IPAddress(ipv4: 0x0a01_0000 + $0), $0) } + [
                    (NodeImages.web, NodeImages.webID)
                ])
        }
        let third = IPAddress(ipv4: 0x0a01_0000 + 1002)
        #expect(try node.apply(try image(clients: 2), links: [:]).programsLoaded == 2)
        #expect(try probe.tcp(from: third, source: 1) == NP_DROP_POLICY_DEFAULT)
        let grown = try node.apply(try image(clients: 3), links: [:])
        #expect(grown.programsLoaded == 0)
        #expect(try probe.tcp(from: third, source: 2) == NP_REASON_ALLOWED)
        #expect(try node.apply(try image(clients: 2), links: [:]).programsLoaded == 0)
        #expect(try probe.tcp(from: third, source: 3) == NP_DROP_POLICY_DEFAULT)
        #expect(try probe.tcp(from: third, source: 2, flags: 0x10) == NP_DROP_POLICY_DEFAULT)
        #expect(try node.apply(try image(clients: 100), links: [:]).programsLoaded == 1)
        #expect(try probe.tcp(from: third, source: 4) == NP_REASON_ALLOWED)
        #expect(node.subjects["web"]?.ingress.peers.count == 100)
        #expect(try node.apply(try image(clients: 100), links: [:]).changedAnything == false)
    }

    @Test("a program that alone changes keeps the map of its peers, one with other entries does not")
    func keptMap() throws {
        let node = try NodeDatapath.forTests()
        let probe = HookProbe(node: node)
        func image(port: UInt16, peers: [UInt32: UInt64]) throws -> NodeImage {
            try Self.web([NodeImages.bit(0, port: port), NodeImages.bit(1, port: 90)], peers: peers)
        }
        _ = try node.apply(
            try image(port: 80, peers: [NodeImages.clientID: 0b11, NodeImages.strangerID: 0b11]), links: [:])
        let first = try #require(node.subjects["web"]?.ingress)
        #expect(
            try node.apply(
                try image(port: 81, peers: [NodeImages.clientID: 0b11, NodeImages.strangerID: 0b11]), links: [:]
            ).programsLoaded == 1)
        let second = try #require(node.subjects["web"]?.ingress)
        #expect(first !== second && second.sharesPeers(with: first))
        #expect(try probe.tcp(source: 1, port: 80) == NP_DROP_POLICY_DEFAULT)
        #expect(try probe.tcp(source: 2, port: 81) == NP_REASON_ALLOWED)
        // In place.
        #expect(
            try node.apply(
                try image(port: 81, peers: [NodeImages.clientID: 0b10, NodeImages.strangerID: 0b11]), links: [:]
            ).programsLoaded == 0)
        #expect(try probe.tcp(source: 3, port: 81) == NP_DROP_POLICY_DEFAULT)
        #expect(try probe.tcp(source: 4, port: 90) == NP_REASON_ALLOWED)
        _ = try node.apply(
            try image(port: 82, peers: [NodeImages.clientID: 0b01, NodeImages.strangerID: 0b11]), links: [:])
        let third = try #require(node.subjects["web"]?.ingress)
        #expect(!third.sharesPeers(with: second))
        #expect(try probe.tcp(source: 5, port: 82) == NP_REASON_ALLOWED)
        #expect(try probe.tcp(source: 6, port: 90) == NP_DROP_POLICY_DEFAULT)
    }

    @Test(
        "an apply that fails after programs were swapped changes no map under them: the next one waits for them first")
    func keptMapAfterFailure() throws {
        let node = try NodeDatapath.forTests()
        let probe = HookProbe(node: node)
        func image(port: UInt16, peers: [UInt32: UInt64]) throws -> NodeImage {
            try Self.web([NodeImages.bit(0, port: port), NodeImages.bit(1, port: 90)], peers: peers)
        }
        _ = try node.apply(try image(port: 80, peers: [NodeImages.clientID: 0b11]), links: [:])
        func fail(_ image: NodeImage) {
            let fault = InjectedFault(.waitForReaders, errno: .noMemory, isFatal: true)
            #expect(throws: BPFError.self) {
                try InjectedFault.$current.withValue(fault) { _ = try node.apply(image, links: [:]) }
            }
        }
        fail(try image(port: 81, peers: [NodeImages.clientID: 0b11]))
        let replaced = try #require(node.outOfUse.first)
        #expect(node.subjects["web"]?.ingress.sharesPeers(with: replaced) == true)
        // The one that was replaced may still run, on the map of its successor.
        fail(try image(port: 81, peers: [NodeImages.clientID: 0b01]))
        #expect(replaced.peers == [PeerEntry(identity: NodeImages.clientID, words: [0b11])])
        _ = try node.apply(try image(port: 81, peers: [NodeImages.clientID: 0b01]), links: [:])
        #expect(node.outOfUse.isEmpty)
        #expect(try probe.tcp(source: 1, port: 81) == NP_REASON_ALLOWED)
        #expect(try probe.tcp(source: 2, port: 90) == NP_DROP_POLICY_DEFAULT)
    }

    @Test("an identity that retires while the rules change leaves nothing behind, and denied stays denied")
    func relabelled() throws {
        let node = try NodeDatapath.forTests()
        let probe = HookProbe(node: node)
        func image(_ identity: UInt32, port: UInt16) throws -> NodeImage {
            let ingress = try NodeImages.policy(
                .ingress, [NodeImages.bit(0, .deny), NodeImages.bit(1, anyPeer: true, port: port)],
                peers: [identity: 1])
            return try NodeImages.node(
                subjects: [NodeImages.subject(ingress: ingress)],
                addresses: [(NodeImages.client, identity), (NodeImages.web, NodeImages.webID)])
        }
        _ = try node.apply(try image(500, port: 80), links: [:])
        #expect(try probe.tcp(source: 1) == NP_DROP_POLICY_DENY)
        _ = try node.apply(try image(501, port: 81), links: [:])
        #expect(try probe.tcp(source: 2, port: 81) == NP_DROP_POLICY_DENY)
        #expect(try probe.tcp(from: NodeImages.stranger, source: 2, port: 81) == NP_REASON_ALLOWED)
        #expect(node.subjects["web"]?.ingress.peers.map(\.identity) == [501])
    }

    @Test("counters outlive the program that counted; what they stand for is known until the next apply")
    func counters() throws {
        let node = try NodeDatapath.forTests()
        let probe = HookProbe(node: node)
        func image(_ port: UInt16) throws -> NodeImage {
            try Self.web([NodeImages.bit(0, port: port)], peers: [NodeImages.clientID: 1])
        }
        func count(_ meaning: HitMeaning) throws -> UInt64? {
            try node.packetsByRule()[RuleHitKey(subject: "web", direction: .ingress, meaning: meaning)]
        }
        let rule = HitMeaning.rule(
            RuleBit(rule: 0, action: .allow, isL7: false, origin: NodeImages.origin("rule-0")))
        _ = try node.apply(try image(80), links: [:])
        for source in 1...3 as ClosedRange<UInt16> { _ = try probe.tcp(source: source) }
        _ = try probe.tcp(source: 9, port: 99)
        #expect(try count(rule) == 3)
        #expect(try count(.defaultDeny(isolatedBy: [NodeImages.origin("isolation")])) == 1)
        for port in 81...90 as ClosedRange<UInt16> {
            _ = try node.apply(try image(port), links: [:])
            _ = try probe.tcp(source: 1, port: port)
        }
        #expect(try count(rule) == 13)
        #expect(try count(.defaultDeny(isolatedBy: [NodeImages.origin("isolation")])) == 1)
        #expect(node.hits.used < 40)
    }

    @Test("a pod that went is dropped at once, and its slot keeps no right")
    func removed() throws {
        let node = try NodeDatapath.forTests()
        let shop = try NodeImages.shop()
        _ = try node.apply(shop, links: [:])
        let stub = try #require(node.endpoints[NodeImages.webKey]).ingressStub
        var empty = shop
        empty.endpoints = []
        empty.subjects = []
        _ = try node.apply(empty, links: [:])
        let packet = FlowPacket(
            source: NodeImages.client, destination: NodeImages.web, protocol: .tcp, sourcePort: 1, destinationPort: 80)
        #expect(try HookProbe(node: node).run(packet, stub) == NP_DROP_NOT_READY)
        let next = try node.apply(shop, links: [:])
        #expect(next.endpoints.map(\.revision) == [2])
    }

    @Test("what cannot be done whole is refused before anything changes")
    func refused() throws {
        let node = try NodeDatapath.forTests()
        let probe = HookProbe(node: node)
        let shop = try NodeImages.shop()
        _ = try node.apply(shop, links: [:])
        var tooManyAddresses = shop
        tooManyAddresses.endpoints[0].addresses = [NodeImages.web, NodeImages.client, NodeImages.stranger]
        var noSubject = shop
        noSubject.subjects = []
        for (image, errno) in [(tooManyAddresses, "E2BIG"), (noSubject, "EINVAL")] {
            let error = #expect(throws: BPFError.self) { try node.apply(image, links: [:]) }
            #expect(error?.errnoName == errno)
            #expect(try probe.tcp(source: .random(in: 1...60_000)) == NP_REASON_ALLOWED)
        }
        #expect(try node.apply(shop, links: [:]).changedAnything == false)
    }

    @Test("a policy whose program the kernel refuses closes its pods, until it is another one; all others are in force")
    func refusedProgram() throws {
        let node = try NodeDatapath.forTests()
        let probe = HookProbe(node: node)
        let other = EndpointKey(namespace: "shop", name: "other")
        func image(port: UInt16, isBad: Bool) throws -> NodeImage {
            // Nothing isolates it by default: whoever is not denied passes.
            var web = try NodeImages.subject(
                ingress: NodeImages.policy(
                    .ingress, [NodeImages.bit(0, .deny)], peers: [NodeImages.strangerID: 1], isolated: false))
            if isBad { web.ingress.program.instructions[0] = AssembledProgram.instruction(0xbf, source: 7) }
            var image = try NodeImages.node(subjects: [
                NodeImages.subject(
                    "other",
                    ingress: NodeImages.policy(
                        .ingress, [NodeImages.bit(0, port: port)], peers: [NodeImages.clientID: 1])), web,
            ])
            image.endpoints.insert(NodeImages.endpoint("other", NodeImages.stranger, subject: "other"), at: 0)
            return image
        }
        _ = try node.apply(try image(port: 80, isBad: false), links: [:])
        #expect(try probe.tcp(source: 1) == NP_REASON_ALLOWED)
        #expect(try probe.tcp(to: other, source: 1, port: 80) == NP_REASON_ALLOWED)

        let report = try node.apply(try image(port: 81, isBad: true), links: [:])
        #expect(report.endpoints.map { $0.failure?.contains("np_ingress of web") } == [nil, true])
        #expect(report.endpoints.last?.failure?.contains("EACCES") == true)
        #expect(try probe.tcp(source: 2) == NP_DROP_POLICY_DEFAULT)
        #expect(try probe.tcp(source: 1, flags: 0x10) == NP_DROP_POLICY_DEFAULT)
        // The others' change is in force.
        #expect(try probe.tcp(to: other, source: 2, port: 80) == NP_DROP_POLICY_DEFAULT)
        #expect(try probe.tcp(to: other, source: 3, port: 81) == NP_REASON_ALLOWED)
        // It is not tried again and again, and said for as long as it lasts.
        let again = try node.apply(try image(port: 81, isBad: true), links: [:])
        #expect(!again.changedAnything && again.endpoints.map { $0.failure != nil } == [false, true])

        let good = try node.apply(try image(port: 81, isBad: false), links: [:])
        #expect(good.endpoints.allSatisfy { $0.failure == nil })
        #expect(try probe.tcp(source: 4) == NP_REASON_ALLOWED)
        #expect(try node.apply(try image(port: 81, isBad: false), links: [:]).changedAnything == false)
    }

    @Test("whichever call of the kernel fails, the next apply gets there, and revoked flows are cut")
    func faults() throws {
        let node = try NodeDatapath.forTests()
        let probe = HookProbe(node: node)
        let before = try NodeImages.node(subjects: [
            NodeImages.subject(
                ingress: NodeImages.policy(
                    .ingress, [NodeImages.bit(0, port: 80), NodeImages.bit(1, port: 81)],
                    peers: [NodeImages.clientID: 0b11, NodeImages.strangerID: 0b01]))
        ])
        var after = try NodeImages.node(
            subjects: [
                NodeImages.subject(
                    ingress: NodeImages.policy(.ingress, [NodeImages.bit(0, port: 80)], peers: [400: 1])),
                NodeImages.subject("other", ingress: NodeImages.open(.ingress)),
            ], addresses: [(NodeImages.client, 400), (NodeImages.web, NodeImages.webID)])
        after.endpoints.append(NodeImages.endpoint("other", NodeImages.stranger, subject: "other"))
        var source: UInt16 = 1
        var failures = 0
        for operation in [.createMap, .loadProgram, .writeMap, .deleteFromMap, .waitForReaders] as [BPFOperation] {
            for call in 0..<40 {
                _ = try node.apply(before, links: [:])
                source += 1
                #expect(try probe.tcp(source: source, port: 80) == NP_REASON_ALLOWED)
                #expect(try probe.tcp(source: source, port: 81) == NP_REASON_ALLOWED)
                let fault = InjectedFault(operation, call: call, errno: .noMemory)
                let error = InjectedFault.$current.withValue(fault) { () -> BPFError? in
                    do throws(BPFError) {
                        _ = try node.apply(after, links: [:])
                        return nil
                    } catch { return error }
                }
                guard fault.fired else { break }
                failures += error == nil ? 0 : 1
                // In between, a packet may meet the old or the new policy. The new one denies nothing of this flow.
                let between = try probe.tcp(source: source, port: 80, flags: 0x10)
                #expect(between.rawValue < NP_REASON_FIRST_DROP.rawValue, "\(operation) \(call): \(between.rawValue)")
                _ = try node.apply(after, links: [:])
                #expect(try probe.tcp(source: source, port: 81, flags: 0x10) == NP_DROP_POLICY_DEFAULT)
                #expect(try probe.tcp(source: source, port: 80, flags: 0x10).rawValue < NP_REASON_FIRST_DROP.rawValue)
                #expect(try node.apply(after, links: [:]).changedAnything == false)
                #expect(node.subjects["web"]?.ingress.peers.map(\.identity) == [400])
            }
        }
        #expect(failures > 10)
        #expect(node.hits.used < 200)
    }
}

extension LoadedPolicy {
    /// Whether two policies have one map: nothing else tells from outside.
    fileprivate func sharesPeers(with other: LoadedPolicy) -> Bool { table != nil && table === other.table }
}
