import Foundation
import Glibc
import Synchronization
import Testing

/// A flood that a pod makes, while somebody watches, stops no policy change and hides no other pod's drops.
@Suite("monitor under a flood", .enabled(if: geteuid() == 0, "needs root"), .serialized, .timeLimit(.minutes(5)))
struct MonitorUnderFloodTests {
    private let network: PodNetwork
    private let agent: RunningAgent

    init() throws {
        network = try PodNetwork(SwapCluster.pods, tag: "flood\(UInt16.random(in: .min ... .max))")
        let policies = (0..<300).map { number in
            SwapCluster.first.replacing("name: first", with: "name: first-\(number)")
        }.joined(separator: "\n---\n")
        agent = try RunningAgent(network, manifests: ["pods.yaml": SwapCluster.pods, "policies.yaml": policies])
    }

    /// Sends denied datagrams to another port each time until `stop`: some 40,000 a second, fewer than the queue in front of
    /// the hooks takes.
    private final class Flood: Sendable {
        private let stopping = Atomic(false)
        let sent = Atomic(0)

        func start(_ network: PodNetwork, from pod: String) throws {
            let socket = try PodSocket.udp(in: network.namespace(pod))
            let server = try network.address("server")
            nonisolated(unsafe) let sending = socket
            Thread.detachNewThread { [self] in
                while !stopping.load(ordering: .relaxed) {
                    let number = sent.add(1, ordering: .relaxed).newValue
                    sending.send([0], to: server, port: UInt16(1024 + number % 60_000))
                    if number % 50 == 0 { usleep(1000) }
                }
            }
        }

        func stop() { stopping.store(true, ordering: .relaxed) }
    }

    private func seconds(_ body: () throws -> Void) rethrows -> Double {
        let start = Date()
        try body()
        return Date().timeIntervalSince(start)
    }

    @Test("monitor and one UDP flood over 300 policies: changes come into force, status answers")
    func flood() throws {
        try agent.start()
        let flood = Flood()
        let lines = try agent.monitored(["--json", "--drops"]) {
            try flood.start(network, from: "blue")
            defer { flood.stop() }
            usleep(1_000_000)
            for port in [8100, 8101, 8102] {
                try agent.write("edit.yaml", SwapCluster.second.replacing("8002", with: "\(port)"))
                let took = try seconds { try agent.settle() }
                // In four minutes none came into force before.
                #expect(took < 10, "the change took \(took) s")
                let run = try agent.run(["status", "--timeout", "1"] + agent.place)
                #expect(run.code == 0, "\(run.output)")
            }
        }.split(separator: "\n")
        #expect(flood.sent.load(ordering: .relaxed) > 10_000)
        #expect(lines.contains { $0.contains("NP_DROP_POLICY_DEFAULT") })
        #expect(lines.contains { $0.hasPrefix("{\"lost\":") }, "the loss is said")
    }

    @Test("a filter for one pod sees its 10 drops of 10 while another pod is noisy")
    func noisyNeighbour() throws {
        try agent.start()
        let flood = Flood()
        let quiet = try PodSocket.udp(in: network.namespace("green"))
        let ports = (0..<10).map { 9900 + $0 }
        func hasAll(_ lines: String) -> Bool { ports.allSatisfy { lines.contains("\"port\":\($0)") } }
        let lines = try agent.monitored(["--json", "--drops", "--pod", "lab/green"], until: hasAll) {
            try flood.start(network, from: "blue")
            defer { flood.stop() }
            usleep(1_000_000)
            for port in ports {
                try quiet.send([0], to: network.address("server"), port: UInt16(port))
                usleep(50_000)
            }
            usleep(500_000)
        }
        let missing = ports.filter { !lines.contains("\"port\":\($0)") }
        #expect(missing == [], "\(lines.suffix(2000))")
    }

    @Test("monitor shows the time at which the packet was sent")
    func time() throws {
        try agent.start()
        let quiet = try PodSocket.udp(in: network.namespace("green"))
        var sent = Date()
        let lines = try agent.monitored(["--json", "--drops"]) {
            sent = Date()
            try quiet.send([0], to: network.address("server"), port: 9900)
        }
        let match = try #require(lines.firstMatch(of: /"timeMilliseconds":([0-9]+)/), "\(lines)")
        let shown = try #require(Double(match.1))
        #expect(abs(shown / 1000 - sent.timeIntervalSince1970) < 0.05)
    }
}
