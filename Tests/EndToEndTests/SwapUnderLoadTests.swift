import Glibc
import Testing

@Suite("Policies swapped under load", .enabled(if: geteuid() == 0, "needs root"), .serialized)
struct SwapUnderLoadTests {
    @Test("200 swaps: no datagram is decided by a mix, allowed ones all arrive, denied ones never")
    func swaps() throws {
        let network = try PodNetwork(SwapCluster.pods, tag: "swap")
        try network.apply(SwapCluster.first)
        let server = try network.namespace("server")
        let phase = PhaseClock()
        func stream(_ client: String, _ port: UInt16) throws -> DatagramStream {
            try DatagramStream(network, from: client, to: PodSocket.udp(in: server, port: port), port: port)
        }
        let green = try stream("green", 8001)
        let blue = try stream("blue", 8002)
        let always = try stream("always", 9000)
        let crossed = [
            try DatagramStream(network, from: "green", to: nil, port: 8002),
            try DatagramStream(network, from: "blue", to: nil, port: 8001),
        ]
        let chatter = try TCPChatter(network, from: "always", port: 9000)
        let streams = [green, blue, always] + crossed
        for stream in streams { try stream.start(phase: phase, pause: 300) }
        try chatter.start()
        for swap in 1...200 {
            phase.advance()
            try network.apply(swap % 2 == 0 ? SwapCluster.first : SwapCluster.second)
            phase.advance()
            usleep(2000)
        }
        for stream in streams { stream.join() }
        chatter.join()

        // Phase 4k is the first policy, 4k + 2 the second.
        #expect(green.violations { $0 % 4 == 0 } == [])
        #expect(blue.violations { $0 % 4 == 2 } == [])
        #expect(always.received.count == always.sent.count, "an allowed flow lost datagrams")
        #expect(always.sent.count > 1000, "too little load to say anything")
        #expect(!green.received.isEmpty && !blue.received.isEmpty)
        #expect(green.strangers + blue.strangers == 0, "a packet was decided by a mix of two policies")
        #expect(crossed.allSatisfy { $0.sent.count > 1000 })
        #expect(chatter.answered == chatter.asked, "an allowed connection lost an answer")
        #expect(chatter.asked > 1000)
        #expect(chatter.retransmissions == 0, "an allowed connection lost a segment")
    }

    @Test("a revoked connection stops at its next packet and goes on when it is allowed again")
    func revocation() throws {
        let network = try PodNetwork(SwapCluster.pods, tag: "revoke")
        try network.apply(SwapCluster.first)
        let listener = try PodSocket.listener(in: network.namespace("server"), port: 8001)
        let client = try #require(
            try PodSocket.connect(in: network.namespace("green"), to: network.address("server"), port: 8001))
        let accepted = try #require(listener.accept())
        client.send([1])
        #expect(accepted.receive(timeout: 1000) == [1])
        accepted.send([2])
        #expect(client.receive(timeout: 1000) == [2])

        try network.apply(SwapCluster.second)
        client.send([3])
        accepted.send([4])
        #expect(accepted.receive(timeout: 300) == nil, "the client's packet passed after the revocation")
        #expect(client.receive(timeout: 300) == nil, "the server's packet passed after the revocation")

        try network.apply(SwapCluster.first)
        #expect(accepted.receive(timeout: 5000) == [3], "the connection did not go on")
        #expect(client.receive(timeout: 5000) == [4])
    }
}
