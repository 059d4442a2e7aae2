import Glibc
import Testing

@Suite("Policies swapped under load", .enabled(if: geteuid() == 0, "needs root"), .serialized)
struct SwapUnderLoadTests {
    @Test(
        "many swaps: no datagram is decided by a mix, allowed ones all arrive, denied ones never, whichever directions are isolated",
        arguments: SwapCluster.Isolation.allCases)
    func swaps(isolation: SwapCluster.Isolation) throws {
        let network = try PodNetwork(SwapCluster.pods, tag: "swap")
        let (first, second) = (SwapCluster.first(isolation), SwapCluster.second(isolation))
        try network.apply(first)
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
        for swap in 1...(isolation == .ingress ? 200 : 100) {
            phase.advance()
            try network.apply(swap % 2 == 0 ? first : second)
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

    @Test(
        "an exchange of datagrams that stays allowed loses neither a question nor an answer",
        arguments: SwapCluster.Isolation.allCases)
    func exchanges(isolation: SwapCluster.Isolation) throws {
        let network = try PodNetwork(SwapCluster.pods, tag: "exchange")
        let (first, second) = (SwapCluster.first(isolation), SwapCluster.second(isolation))
        try network.apply(first)
        let chatter = try DatagramChatter(network, from: "always", port: 9000)
        try chatter.start()
        for swap in 1...60 {
            // Sometimes nothing isolates, so that the flow passes without an entry and then needs one.
            let policies = swap % 3 == 0 ? SwapCluster.nothing : swap % 3 == 1 ? second : first
            try network.apply(policies)
            usleep(2000)
        }
        chatter.join()
        #expect(chatter.answered == chatter.asked)
        #expect(chatter.asked > 300)
    }

    @Test(
        "a revoked flow stops at its next packet in both directions and goes on when it is allowed again",
        arguments: SwapCluster.Isolation.allCases)
    func revocation(isolation: SwapCluster.Isolation) throws {
        let network = try PodNetwork(SwapCluster.pods, tag: "revoke")
        let (first, second) = (SwapCluster.first(isolation), SwapCluster.second(isolation))
        // It begins where nothing isolates, or where it needs an entry.
        for before in [first, SwapCluster.nothing] {
            try network.apply(before)
            let listener = try PodSocket.listener(in: network.namespace("server"), port: 8001)
            let client = try #require(
                try PodSocket.connect(in: network.namespace("green"), to: network.address("server"), port: 8001))
            let accepted = try #require(listener.accept())
            client.send([1])
            #expect(accepted.receive(timeout: 1000) == [1])
            accepted.send([2])
            #expect(client.receive(timeout: 1000) == [2])
            let datagrams = try DatagramExchange(network, from: "green", port: 8001)
            datagrams.ask(1)
            #expect(datagrams.server.receive(timeout: 1000) == [1])
            datagrams.answer(2)
            #expect(datagrams.client.receive(timeout: 1000) == [2])

            try network.apply(second)
            // The answer first: it was under way when the flow was revoked.
            datagrams.answer(4)
            datagrams.ask(3)
            accepted.send([4])
            client.send([3])
            usleep(300_000)
            datagrams.answer(6)
            datagrams.ask(5)
            #expect(accepted.receive(timeout: 100) == nil, "the client's packet passed after the revocation")
            #expect(client.receive(timeout: 0) == nil, "the server's packet passed after the revocation")
            #expect(datagrams.server.receive(timeout: 100) == nil, "the client's datagram passed after the revocation")
            #expect(datagrams.client.receive(timeout: 0) == nil, "the server's datagram passed after the revocation")

            try network.apply(first)
            #expect(accepted.receive(timeout: 5000) == [3], "the connection did not go on")
            #expect(client.receive(timeout: 5000) == [4])
            datagrams.ask(7)
            #expect(datagrams.server.receive(timeout: 1000) == [7])
            datagrams.answer(8)
            #expect(datagrams.client.receive(timeout: 1000) == [8])
        }
    }
}
