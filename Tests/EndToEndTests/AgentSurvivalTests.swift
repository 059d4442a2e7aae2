import Glibc
import Testing

@Suite("An agent that is killed", .enabled(if: geteuid() == 0, "needs root"), .serialized)
struct AgentSurvivalTests {
    @Test("kill -9 under load changes no verdict; the next agent adopts, no flow breaks, and changes work again")
    func killed() throws {
        let network = try PodNetwork(SwapCluster.pods, tag: "agent")
        let agent = try AgentProcess(network, cluster: SwapCluster.pods)
        try agent.write(SwapCluster.first, to: "policy.yaml")
        try agent.start()

        let server = try network.namespace("server")
        let phase = PhaseClock()
        let green = try DatagramStream(network, from: "green", to: PodSocket.udp(in: server, port: 8001), port: 8001)
        let blue = try DatagramStream(network, from: "blue", to: PodSocket.udp(in: server, port: 8002), port: 8002)
        let always = try DatagramStream(network, from: "always", to: PodSocket.udp(in: server, port: 9000), port: 9000)
        let chatter = try TCPChatter(network, from: "always", port: 9000)
        for stream in [green, blue, always] { try stream.start(phase: phase, pause: 300) }
        try chatter.start()
        usleep(300_000)

        agent.kill()
        usleep(500_000)
        // New flows while no agent runs.
        let unattended = try PodSocket.listener(in: server, port: 8001)
        #expect(try connects(network, "green", 8001), "an allowed new connection failed while the agent was dead")
        #expect(try !connects(network, "blue", 8001), "a denied new connection passed while the agent was dead")
        _ = unattended

        try agent.start()
        usleep(300_000)
        for stream in [green, blue, always] { stream.join() }
        chatter.join()
        #expect(green.violations { _ in true } == [])
        #expect(blue.violations { _ in false } == [])
        #expect(always.violations { _ in true } == [])
        #expect(min(green.sent.count, blue.sent.count, always.sent.count) > 1000)
        #expect(chatter.answered == chatter.asked && chatter.asked > 1000)
        #expect(chatter.retransmissions == 0)

        // The new agent is really in charge.
        try agent.write(SwapCluster.second, to: "policy.yaml")
        try agent.settle()
        #expect(try !connects(network, "green", 8001))
        let second = try PodSocket.listener(in: server, port: 8002)
        #expect(try connects(network, "blue", 8002))
        _ = second
    }

    private func connects(_ network: PodNetwork, _ pod: String, _ port: UInt16) throws -> Bool {
        try PodSocket.connect(in: network.namespace(pod), to: network.address("server"), port: port, timeout: 400)
            != nil
    }
}
