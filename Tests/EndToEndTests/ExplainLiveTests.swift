import Foundation
import Testing

/// `netpold explain --live`: the running agent says what the manifests say.
@Suite("explain --live", .enabled(if: geteuid() == 0, "needs root"), .serialized)
struct ExplainLiveTests {
    @Test("the agent's words are those of the manifests it enforces, and follow a change; mistakes are told apart")
    func words() throws {
        let network = try PodNetwork(SwapCluster.pods, tag: "live\(UInt16.random(in: .min ... .max))")
        let agent = try RunningAgent(
            network, manifests: ["pods.yaml": SwapCluster.pods, "policy.yaml": SwapCluster.first])
        try agent.start()
        func both(_ flow: [String], _ options: [String] = []) throws -> (
            live: RunningAgent.Run, offline: RunningAgent.Run
        ) {
            (
                try agent.ask("explain", ["--live"] + flow + options),
                try agent.run(
                    ["explain", "-f", "\(agent.folder)/manifests", "--local-node", "node-1"] + flow + options)
            )
        }
        for flow in [
            ["lab/green", "lab/server", "8001/TCP"], ["lab/blue", "lab/server", "8001/TCP"],
            ["host", "lab/server", "8001/TCP"], ["ip:203.0.113.9", "lab/server", "53/UDP"],
        ] {
            for options in [[], ["--json"]] {
                // The agent knows by which address its node comes.
                if flow[0] == "host", !options.isEmpty { continue }
                let (live, offline) = try both(flow, options)
                #expect(live.code == 0 && live.output == offline.output, "\(flow): \(live) \(offline)")
            }
        }
        #expect(try both(["lab/green", "lab/server", "8001/TCP"]).live.output.hasPrefix("ALLOWED"))

        try agent.write("policy.yaml", SwapCluster.second)
        #expect(try agent.ask("wait", ["--policy", "lab/second"]).code == 0)
        #expect(try agent.ask("wait", ["--policy", "lab/first", "--gone"]).code == 0)
        let changed = try both(["lab/green", "lab/server", "8001/TCP"]).live
        #expect(changed.output.hasPrefix("DENIED") && changed.output.contains("NetworkPolicy lab/second"), "\(changed)")

        let (live, offline) = try both(["lab/gren", "lab/server", "8001/TCP"])
        #expect(live.code == 2 && live.output == offline.output && live.output.contains("did you mean lab/green"))
        for wrong in [["--live", "-f", "/tmp"], [], ["--live", "--name", "a.example=1.2.3.4"]] {
            #expect(try agent.ask("explain", wrong + ["lab/green", "lab/server", "8001/TCP"]).code == 2, "\(wrong)")
        }
        agent.end(SIGTERM)
        #expect(try both(["lab/green", "lab/server", "8001/TCP"]).live.code == 1)
    }
}
