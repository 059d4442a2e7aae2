import BPFEmit
import CNetpoldABI
import Datapath
import Foundation
import Glibc
import LabKit
import NetTypes
import NetpoldTestSupport
import Testing

/// Flows past the node's stack, on real veths: who sees their packets, and that nothing else is different.
@Suite("Past the stack", .enabled(if: geteuid() == 0, "needs root"), .serialized)
struct FastPathTests {
    /// A network whose clients may reach the server as `SwapCluster` says.
    private func network(_ tag: String, _ mode: FastPathMode = .always) throws -> PodNetwork {
        try PodNetwork(SwapCluster.pods, tag: tag, fastPath: mode)
    }

    /// Sends so many numbered requests over a connection, each answered; how many were.
    private func talk(_ client: PodSocket, _ server: PodSocket, _ count: Int) -> Int {
        (0..<count).count { number in
            let request = Array("\(number)".utf8)
            client.send(request)
            guard server.receive(timeout: 1000) == request else { return false }
            server.send(request)
            return client.receive(timeout: 1000) == request
        }
    }

    private func connect(
        _ network: PodNetwork, _ client: String, _ port: UInt16
    ) throws -> (client: PodSocket, server: PodSocket) {
        let listener = try PodSocket.listener(in: network.namespace("server"), port: port)
        let client = try #require(
            try PodSocket.connect(in: network.namespace(client), to: network.address("server"), port: port))
        return (client, try #require(listener.accept()))
    }

    /// Packets by reason, but for those about neighbours: who asks for whose address is a matter of time.
    private func ofFlows(_ network: PodNetwork) throws -> [UInt8: UInt64] {
        let neighbours: Set = [UInt8(NP_REASON_ARP.rawValue), UInt8(NP_REASON_NEIGHBOUR_DISCOVERY.rawValue)]
        return try network.packetsByReason().filter { !neighbours.contains($0.key) }
    }

    @Test(
        "of a connection the stack sees the SYN, and everything is counted as without",
        arguments: [SwapCluster.Isolation.ingress, .egress, .both])
    func connection(isolation: SwapCluster.Isolation) throws {
        var counts: [[UInt8: UInt64]] = []
        var hits: [[RuleHitKey: UInt64]] = []
        for mode in [FastPathMode.off, .always] {
            let network = try network("fast-tcp", mode)
            try network.apply(SwapCluster.first(isolation))
            let before = try network.forwarded()
            let (client, server) = try connect(network, "green", 8001)
            #expect(talk(client, server, 50) == 50)
            let forwarded = try network.forwarded() - before
            #expect(mode == .off ? forwarded > 100 : forwarded == 1, "\(mode): \(forwarded) packets by the stack")
            counts.append(try ofFlows(network))
            hits.append(try network.packetsByRule())
            if mode == .always { #expect(network.fastPath?.pods == 4) }
        }
        // Acknowledgements are a matter of time.
        #expect(Set(counts[0].keys) == Set(counts[1].keys))
        #expect(Set(hits[0].keys) == Set(hits[1].keys))
        let drops = counts.map { $0.filter { $0.key >= UInt8(NP_REASON_FIRST_DROP.rawValue) } }
        #expect(drops[0] == drops[1])
    }

    @Test("of datagrams the stack sees the first, and each is counted at both pods as without")
    func datagrams() throws {
        var counts: [[UInt8: UInt64]] = []
        var hits: [[RuleHitKey: UInt64]] = []
        for mode in [FastPathMode.off, .always] {
            let network = try network("fast-udp", mode)
            try network.apply(SwapCluster.first)
            let server = try PodSocket.udp(in: network.namespace("server"), port: 8001)
            let client = try PodSocket.udp(in: network.namespace("green"))
            let before = try network.forwarded()
            for number in 0..<20 {
                client.send([UInt8(number)], to: try network.address("server"), port: 8001)
                #expect(server.receive(timeout: 1000) == [UInt8(number)])
                server.send([UInt8(number)], to: try network.address("green"), port: client.port)
                #expect(client.receive(timeout: 1000) == [UInt8(number)])
            }
            let forwarded = try network.forwarded() - before
            #expect(forwarded == (mode == .off ? 40 : 1), "\(mode): \(network.fastPath.map { "\($0)" } ?? "none")")
            counts.append(try ofFlows(network))
            hits.append(try network.packetsByRule())
        }
        #expect(counts[0] == counts[1])
        #expect(hits[0] == hits[1])
    }

    @Test("what neither pod's policy allows does not pass, whichever denies", arguments: SwapCluster.Isolation.allCases)
    func denied(isolation: SwapCluster.Isolation) throws {
        let network = try network("fast-deny")
        try network.apply(SwapCluster.first(isolation))
        let listener = try PodSocket.listener(in: network.namespace("server"), port: 8002)
        #expect(
            try PodSocket.connect(
                in: network.namespace("green"), to: network.address("server"), port: 8002, timeout: 300) == nil)
        #expect(listener.accept(timeout: 100) == nil)
    }

    @Test("a revoked flow is cut in both directions at its next packet", arguments: SwapCluster.Isolation.allCases)
    func revoked(isolation: SwapCluster.Isolation) throws {
        for answersFirst in [false, true] {
            let network = try network("fast-revoke")
            try network.apply(SwapCluster.first(isolation))
            let (client, server) = try connect(network, "green", 8001)
            #expect(talk(client, server, 3) == 3)
            let udp = try PodSocket.udp(in: network.namespace("server"), port: 8001)
            let asking = try PodSocket.udp(in: network.namespace("green"))
            for _ in 0..<3 {
                asking.send([1], to: try network.address("server"), port: 8001)
                #expect(udp.receive(timeout: 1000) == [1])
            }
            let before = try network.forwarded()
            try network.apply(SwapCluster.second(isolation))
            if answersFirst {
                server.send([1])
                #expect(client.receive(timeout: 200) == nil)
                udp.send([2], to: try network.address("green"), port: asking.port)
                #expect(asking.receive(timeout: 200) == nil)
            } else {
                client.send([1])
                #expect(server.receive(timeout: 200) == nil)
                asking.send([2], to: try network.address("server"), port: 8001)
                #expect(udp.receive(timeout: 200) == nil)
            }
            #expect(try network.forwarded() == before)
            try network.apply(SwapCluster.first(isolation))
            #expect(answersFirst ? client.receive(timeout: 3000) == [1] : server.receive(timeout: 3000) == [1])
        }
    }

    /// Sent three times, the first goes by the stack: what arrives must be the same, byte for byte.
    @Test("what arrives is what the stack would have forwarded", arguments: [64, 2] as [UInt8])
    func sameFrames(hopLimit: UInt8) throws {
        let network = try network("fast-frame")
        try network.apply(SwapCluster.nothing)
        let sender = try RawLink(network.namespace("green"))
        let receiver = try RawLink(network.namespace("server"), receives: true)
        // Otherwise the server answers by ICMP errors, which go by the stack.
        let socket = try PodSocket.udp(in: network.namespace("server"), port: 9000)
        defer { withExtendedLifetime(socket) {} }
        for zeros in [0, 3] {
            var packet = IPPacket(
                try network.address("green"), try network.address("server"), .udp,
                Transport.udp(UInt16(4000 + zeros), 9000, payload: Array(repeating: 0xa5, count: 64 + zeros)))
            packet.hopLimit = hopLimit
            var frame = packet.summedFrame
            frame.replaceSubrange(0..<6, with: nodeHardware(of: 1))
            let marker = UInt8((4000 + zeros) & 0xff)
            let before = try network.forwarded()
            let arrived = (0..<3).map { _ -> [UInt8]? in
                #expect(sender.send(frame))
                return receiver.receive(timeout: 1000) { $0.count > 40 && $0[23] == 17 && $0[35] == marker }
            }
            #expect(arrived[0] != nil && arrived[0] == arrived[1] && arrived[1] == arrived[2])
            #expect(arrived[0]?[22] == hopLimit - 1)
            let forwarded = try network.forwarded() - before
            #expect(forwarded == 1)
        }
    }

    @Test("what a router must answer or take apart goes by the stack: hop limit, options, fragments, size")
    func byTheStack() throws {
        let network = try network("fast-stack")
        try network.apply(SwapCluster.nothing)
        let sender = try RawLink(network.namespace("green"))
        let receiver = try RawLink(network.namespace("server"), receives: true)
        let socket = try PodSocket.udp(in: network.namespace("server"), port: 9000)
        defer { withExtendedLifetime(socket) {} }
        func packet(_ change: (inout IPPacket) -> Void = { _ in }) throws -> [UInt8] {
            var packet = IPPacket(
                try network.address("green"), try network.address("server"), .udp,
                Transport.udp(4000, 9000, payload: Array(repeating: 1, count: 1000)))
            change(&packet)
            var frame = packet.summedFrame
            frame.replaceSubrange(0..<6, with: nodeHardware(of: 1))
            return frame
        }
        func arrives(_ frame: [UInt8]) -> Bool {
            #expect(sender.send(frame))
            return receiver.receive(timeout: 300) { $0.count > 100 && $0[23] == 17 } != nil
        }
        for _ in 0..<3 { #expect(arrives(try packet())) }
        let before = try network.forwarded()
        #expect(arrives(try packet()))
        #expect(try network.forwarded() == before)
        #expect(!arrives(try packet { $0.hopLimit = 1 }))
        #expect(arrives(try packet { $0.options = [1, 1, 1, 0] }))
        #expect(try network.forwarded() == before + 1)
        // A frame for another host, which the stack does not take.
        var foreign = try packet()
        foreign.replaceSubrange(0..<6, with: [2, 9, 9, 9, 9, 9])
        #expect(!arrives(foreign))
        // The other end takes less than it did.
        try network.onNode("ip link set np3 mtu 500")
        #expect(arrives(try packet()))  // in fragments
        #expect(try network.forwarded() == before + 2)
    }

    /// The node's end of a pod's veth, by its place in `SwapCluster.pods` from 1 on.
    private func nodeHardware(of number: UInt32) -> [UInt8] { MACAddress(local: number, side: 0).bytes }

    @Test("a pod whose packets a queue or another program has to see is left out, and so is a bridge's port")
    func leftOut() throws {
        for (command, words) in [
            ("tc qdisc add dev np3 root tbf rate 100mbit burst 32kb latency 50ms", "tbf"),
            (
                "tc qdisc add dev np3 ingress && tc filter add dev np3 parent ffff: protocol ip u32 match u32 0 0 flowid 1:1",
                "u32"
            ),
            ("ip link add br0 type bridge && ip link set np3 master br0", "port"),
        ] {
            let network = try network("fast-out")
            try network.apply(SwapCluster.nothing)
            #expect(network.fastPath?.pods == 4)
            try network.onNode(command)
            try network.apply(SwapCluster.first)
            let reasons = try #require(network.fastPath?.leftOut)
            #expect(reasons.count == 1 && reasons.values.allSatisfy { $0.contains(words) }, "\(reasons)")
            guard words != "port" else { continue }
            let (client, server) = try connect(network, "green", 8001)
            let before = try network.forwarded()
            #expect(talk(client, server, 5) == 5)
            #expect(try network.forwarded() - before >= 10)
        }
    }

    /// As a hostPort or a Service does it: the node replaces the destination, so answers must come back by way of it.
    @Test("what the node translates stays with the node, datagrams too")
    func translated() throws {
        let network = try network("fast-nat")
        try network.apply(SwapCluster.nothing)
        try network.onNode(
            """
            nft 'table ip t { chain pre { type nat hook prerouting priority -100; \
            ip daddr 10.96.0.9 tcp dport 80 dnat to 10.244.7.13:8001; ip daddr 10.96.0.9 udp dport 80 dnat to 10.244.7.13:8001; }; }'
            """)
        let service = IPAddress(ipv4: 0x0a60_0009)
        let listener = try PodSocket.listener(in: network.namespace("server"), port: 8001)
        let udp = try PodSocket.udp(in: network.namespace("server"), port: 8001)
        for round in 0..<3 {
            let client = try #require(
                try PodSocket.connect(in: network.namespace("green"), to: service, port: 80), "round \(round)")
            let server = try #require(listener.accept())
            #expect(talk(client, server, 5) == 5)
            let asking = try PodSocket.udp(in: network.namespace("green"))
            for _ in 0..<5 {
                asking.send([1], to: service, port: 80)
                #expect(udp.receive(timeout: 1000) == [1])
                // To whoever asked, as its own socket sees it.
                udp.send([2], to: try network.address("green"), port: asking.port)
                #expect(asking.receive(timeout: 1000) == [2])
            }
            // And straight to the same server, past the stack.
            let (straight, accepted) = try connect(network, "blue", UInt16(8100 + round))
            let before = try network.forwarded()
            #expect(talk(straight, accepted, 5) == 5)
            #expect(try network.forwarded() == before)
        }
    }

    @Test("a pod gets nothing past the stack under another's name")
    func spoofed() throws {
        let network = try network("fast-spoof")
        try network.apply(SwapCluster.first)
        let server = try PodSocket.udp(in: network.namespace("server"), port: 8001)
        let client = try PodSocket.udp(in: network.namespace("green"), port: 4000)
        for _ in 0..<3 {
            client.send([1], to: try network.address("server"), port: 8001)
            #expect(server.receive(timeout: 1000) == [1])
        }
        let forger = try RawLink(network.namespace("blue"))
        var frame = IPPacket(
            try network.address("green"), try network.address("server"), .udp, Transport.udp(4000, 8001, payload: [9])
        ).summedFrame
        frame.replaceSubrange(0..<6, with: nodeHardware(of: 2))
        let before = try network.packetsByReason()[UInt8(NP_DROP_SPOOFED_SOURCE.rawValue)] ?? 0
        #expect(forger.send(frame))
        #expect(server.receive(timeout: 200) == nil)
        #expect(try network.packetsByReason()[UInt8(NP_DROP_SPOOFED_SOURCE.rawValue)] == before + 1)
    }
}
