import BPFEmit
import CNetpoldABI
import Glibc
import NetTypes
import NetpoldTestSupport
import PolicyAPI
import Testing

@testable import Datapath

/// One pod makes very many flows; what becomes of everybody else's. `NETPOLD_FLOOD` is how many (`make soak`: a million).
@Suite("floods of flows", .needsRoot, .serialized)
struct FloodTests {
    private static let flows = getenv("NETPOLD_FLOOD").flatMap { Int(String(cString: $0)) } ?? 100_000
    /// Flows between two walks of the collector, which gives pods with many flows larger regions.
    private static let walk = 5_000

    /// Three pods of a node, isolated in both directions, so that every flow of theirs needs an entry in its region.
    private struct World {
        let node: NodeDatapath
        let flooder: Pod
        let receiver: Pod
        let other: Pod

        struct Pod {
            let key: EndpointKey
            let address: IPAddress
            let ingress: BPFProgram
            let egress: BPFProgram
        }

        /// - Parameter receives: the port at which the receiver lets the flooder in.
        /// - Throws: when the datapath cannot be loaded.
        init(receives: UInt16) throws {
            let names = ["flooder", "web", "other"]
            let addresses = [NodeImages.client, NodeImages.web, NodeImages.stranger]
            func subject(_ name: String, from port: UInt16) throws -> SubjectImage {
                try NodeImages.subject(
                    name,
                    ingress: NodeImages.policy(
                        .ingress,
                        [
                            NodeImages.bit(0, anyPeer: true, port: 80),
                            NodeImages.bit(1, anyPeer: true, port: port, protocol: .udp),
                        ], peers: [:]),
                    egress: NodeImages.policy(
                        .egress,
                        [
                            NodeImages.bit(0, anyPeer: true, port: 80),
                            NodeImages.bit(1, anyPeer: true, port: 53, protocol: .udp),
                        ], peers: [:]))
            }
            node = try NodeDatapath(DatapathOptions(pins: nil, attachment: .none, flowSets: 16384))
            let image = try NodeImages.node(
                subjects: names.map { try subject($0, from: $0 == "web" ? receives : 99) },
                endpoints: zip(names, addresses).map { NodeImages.endpoint($0, $1, subject: $0) })
            _ = try node.apply(image, links: [:])
            let node = node
            let pods = try zip(names, addresses).map { name, address in
                let key = EndpointKey(namespace: "shop", name: name)
                let endpoint = try #require(node.endpoints[key])
                return Pod(
                    key: key, address: address, ingress: endpoint.ingressStub, egress: endpoint.egressStub)
            }
            (flooder, receiver, other) = (pods[0], pods[1], pods[2])
        }
    }

    /// A connection between two of the pods on which nothing is said for a long time.
    private struct Connection {
        let client: World.Pod
        let server: World.Pod
        let port: UInt16

        func send(_ flags: UInt8, isAnswer: Bool) throws -> Bool {
            let (from, to) = isAnswer ? (server, client) : (client, server)
            var packet = FlowPacket(
                source: from.address, destination: to.address, protocol: .tcp, sourcePort: isAnswer ? 80 : port,
                destinationPort: isAnswer ? port : 80)
            packet.tcpFlags = flags
            return try FloodTests.passes(packet.frame, from.egress) && FloodTests.passes(packet.frame, to.ingress)
        }

        func open() throws {
            for (flags, isAnswer) in [(0x02, false), (0x12, true), (0x10, false)] as [(UInt8, Bool)] {
                #expect(try send(flags, isAnswer: isAnswer))
            }
        }
    }

    private static func passes(_ frame: [UInt8], _ program: BPFProgram) throws -> Bool {
        try TestRun(frame: frame).run(program).returned != NP_ACTION_SHOT.rawValue
    }

    /// Idle connections among all pods, the one that floods too.
    private static func connections(_ world: World) throws -> [Connection] {
        let pods = [world.flooder, world.receiver, world.other]
        var connections: [Connection] = []
        for (number, client) in pods.enumerated() {
            for (place, server) in pods.enumerated() where number != place {
                for port in 0..<20 as Range<UInt16> {
                    connections.append(Connection(client: client, server: server, port: 40000 + port))
                }
            }
        }
        for connection in connections { try connection.open() }
        return connections
    }

    /// One UDP datagram of a flow of its own, from the flooder to the receiver's port 53; its answer.
    private struct Datagram {
        private var frame: [UInt8]
        private let isAnswer: Bool

        init(_ world: World, isAnswer: Bool) {
            let (from, to) = isAnswer ? (world.receiver, world.flooder) : (world.flooder, world.receiver)
            frame =
                FlowPacket(
                    source: from.address, destination: to.address, protocol: .udp, sourcePort: 53, destinationPort: 53
                ).frame
            self.isAnswer = isAnswer
        }

        /// The frame of a flow by its number: 65,000 ports at each of a row of addresses outside, but the receiver's own for the
        /// first ones.
        mutating func numbered(_ number: Int) -> [UInt8] {
            let port = UInt16(1024 + number % 64000)
            let place = 34 + (isAnswer ? 2 : 0)
            (frame[place], frame[place + 1]) = (UInt8(port >> 8), UInt8(truncatingIfNeeded: port))
            return frame
        }
    }

    @Test(
        "flows that the receiver denies: none of them costs anybody else a connection, and the sender's own answered ones stay"
    )
    func denied() throws {
        let world = try World(receives: 5353)
        let connections = try Self.connections(world)
        let before = try world.node.shares([:])
        var datagram = Datagram(world, isAnswer: false)
        var passed = 0
        var arrived = 0
        let begin = ContinuousClock.now
        for number in 0..<Self.flows {
            // Every flow is one: after all ports what is known of the last ones is forgotten.
            if number % 64000 == 0, number > 0 { try Self.forget(world, keeping: .tcp) }
            let frame = datagram.numbered(number)
            if try Self.passes(frame, world.flooder.egress) { passed += 1 }
            if try Self.passes(frame, world.receiver.ingress) { arrived += 1 }
            if number % Self.walk == Self.walk - 1 { _ = try world.node.collectConntrack(now: world.node.flowClock()) }
        }
        let time = ContinuousClock.now - begin
        #expect(passed == Self.flows && arrived == 0)
        let after = try world.node.shares([:])
        let flooder = try #require(after[world.flooder.key])
        let room = flooder.room
        #expect(flooder.inserted - (before[world.flooder.key]?.inserted ?? 0) == UInt64(Self.flows))
        #expect(flooder.refused == 0, "unanswered ones make room")
        #expect(room == before[world.flooder.key]?.room, "nobody answered: no reason to grow")
        #expect(!flooder.isCrowded)
        for pod in [world.receiver, world.other] {
            #expect(after[pod.key]?.inserted == before[pod.key]?.inserted, "\(pod.key): a denied packet makes no entry")
            #expect(after[pod.key]?.evicted == 0 && after[pod.key]?.refused == 0)
        }
        try Self.expectAll(connections)
        print(
            "flood: \(Self.flows) flows of one pod, all denied at the receiver, in \(time): \(flooder.evicted) of its own made room,",
            "0 of \(connections.count) idle connections lost")
    }

    @Test(
        "flows that the receiver answers: regions grow, and then new ones of these two are refused by name; nobody loses a connection"
    )
    func answered() throws {
        let world = try World(receives: 53)
        let connections = try Self.connections(world)
        var request = Datagram(world, isAnswer: false)
        var answer = Datagram(world, isAnswer: true)
        let before = try world.node.shares([:])
        var refused = 0
        var lost = 0
        var crowdedAt: Int?
        let begin = ContinuousClock.now
        for number in 0..<Self.flows {
            if number % 64000 == 0, number > 0 { try Self.forget(world, keeping: .tcp) }
            let frame = request.numbered(number)
            if try Self.passes(frame, world.flooder.egress), try Self.passes(frame, world.receiver.ingress) {
                let back = answer.numbered(number)
                if try !(Self.passes(back, world.receiver.egress) && Self.passes(back, world.flooder.ingress)) {
                    lost += 1
                }
                // And again, so that it is a stream, which makes room for nobody.
                if try !Self.passes(frame, world.flooder.egress) { lost += 1 }
                if try !Self.passes(frame, world.receiver.ingress) { lost += 1 }
            } else {
                refused += 1
            }
            if number % Self.walk == Self.walk - 1 {
                let collected = try world.node.collectConntrack(now: world.node.flowClock())
                let isCrowded = [world.flooder, world.receiver].contains { collected.shares[$0.key]?.isCrowded == true }
                if crowdedAt == nil, isCrowded { crowdedAt = number }
            }
        }
        let time = ContinuousClock.now - begin
        #expect(lost == 0, "what is known goes on")
        let after = try world.node.shares([:])
        let shares = try [world.flooder, world.receiver].map { try #require(after[$0.key]) }
        #expect(shares[0].room > (before[world.flooder.key]?.room ?? 0), "it has grown")
        #expect(refused == Int(shares[0].refused + shares[1].refused))
        let other = try #require(after[world.other.key])
        #expect(other.evicted == 0 && other.refused == 0)
        #expect(other.inserted == before[world.other.key]?.inserted)
        if Self.flows >= 60_000 {
            #expect(refused > 0)
            #expect(crowdedAt != nil, "the condition names the pod")
        }
        try Self.expectAll(connections)
        // A pod that is not of the flood still opens connections, and a new pod would get a region.
        for port in 50000..<50100 as Range<UInt16> {
            let packet = FlowPacket(
                source: world.other.address, destination: NodeImages.outside, protocol: .tcp, sourcePort: port,
                destinationPort: 80)
            #expect(try Self.passes(packet.frame, world.other.egress))
        }
        #expect(world.node.regions.freeSets > 0)
        print(
            "flood: \(Self.flows) flows of one pod, answered by the receiver, in \(time): \(shares[0].room) entries of room,",
            "\(refused) refused, 0 of \(connections.count) idle connections lost")
    }

    /// The server speaks first, then the client.
    private static func expectAll(_ connections: [Connection]) throws {
        var lost = 0
        for connection in connections {
            if try !connection.send(0x18, isAnswer: true) { lost += 1 }
            if try !connection.send(0x10, isAnswer: false) { lost += 1 }
        }
        #expect(lost == 0)
    }

    /// As when time passes: forgets all flows but those of one protocol.
    private static func forget(_ world: World, keeping kept: L4Protocol) throws {
        let table = try world.node.maps.flows.mapped()
        for region in world.node.regions.current.values {
            for entry in table.entries(in: region) where entry.record.protocol != kept.rawValue {
                _ = table.remove(entry)
            }
        }
    }
}
