import Foundation
import Testing

/// `netpold wait` over a folder: what scripts go by.
@Suite("netpold wait", .enabled(if: geteuid() == 0, "needs root"), .serialized)
struct PolicyWaitCommandTests {
    @Test("returns when the text of now is in force; says why it never will be; 0, 1, 2")
    func codes() throws {
        let network = try PodNetwork(SwapCluster.pods, tag: "wait\(UInt16.random(in: .min ... .max))")
        let agent = try RunningAgent(network, manifests: ["pods.yaml": SwapCluster.pods])
        let listener = try PodSocket.listener(in: network.namespace("server"), port: 8001)
        defer { withExtendedLifetime(listener) {} }
        func connects(_ pod: String) throws -> Bool {
            try PodSocket.connect(
                in: network.namespace(pod), to: network.address("server"), port: 8001, timeout: 400) != nil
        }
        try agent.start()

        let absent = try agent.ask("wait", ["--policy", "lab/first", "--timeout", "1"])
        #expect(absent.code == 1 && absent.output.contains("not within 1 s: there is no policy lab/first"), "\(absent)")

        for round in 0..<2 {
            try agent.write("policy.yaml", SwapCluster.first)
            let there = try agent.ask("wait", ["--policy", "lab/first"])
            #expect(
                there.code == 0 && there.output.contains("NetworkPolicy lab/first is in force (")
                    && there.output.contains("policy.yaml:1:1)"), "\(there)")
            #expect(try !connects("blue"), "round \(round)")
            try agent.remove("policy.yaml")
            let gone = try agent.ask("wait", ["--gone", "--policy", "lab/first"])
            #expect(gone.code == 0, "\(gone)")
            #expect(try connects("blue"), "round \(round)")
        }

        try agent.write("policy.yaml", SwapCluster.first)
        try agent.settle()
        try agent.write("policy.yaml", SwapCluster.first + "\n  surprise: 1\n")
        let refused = try agent.ask("wait", ["--policy", "NetworkPolicy/lab/first"])
        #expect(refused.code == 1 && refused.output.contains("surprise"), "\(refused)")
        try agent.write("policy.yaml", "spec: [")
        let broken = try agent.ask("wait", ["--policy", "lab/first"])
        #expect(broken.code == 1 && broken.output.contains("policy.yaml"), "\(broken)")

        for wrong in [[], ["--policy", "a/b/c"], ["--policy", "lab/first", "--timeout", "-1"]] {
            #expect(try agent.ask("wait", wrong).code == 2, "\(wrong)")
        }
        agent.end(SIGTERM)
        #expect(try agent.ask("wait", ["--policy", "lab/first", "--timeout", "1"]).code == 1)
    }
}
