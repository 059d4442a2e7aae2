import Agent
import BPFEmit
import Foundation
import Testing

/// The commands that list something, over a real agent.
@Suite("Listings", .enabled(if: geteuid() == 0, "needs root"), .serialized)
struct ListCommandTests {
    @Test("each listing as table, wide, JSON and names; counters and flows are those of real traffic")
    func listings() throws {
        let network = try PodNetwork(SwapCluster.pods, tag: "list\(UInt16.random(in: .min ... .max))")
        let agent = try RunningAgent(
            network, manifests: ["pods.yaml": SwapCluster.pods, "policy.yaml": SwapCluster.first])
        let listener = try PodSocket.listener(in: network.namespace("server"), port: 8001)
        defer { withExtendedLifetime(listener) {} }
        // So that answers have to be known as such.
        try agent.write(
            "seal.yaml",
            """
            apiVersion: networking.k8s.io/v1
            kind: NetworkPolicy
            metadata: {name: seal, namespace: lab}
            spec: {podSelector: {}, policyTypes: [Egress], egress: [{to: [{podSelector: {}}]}]}
            """)
        try agent.start()
        func connects(_ pod: String) throws -> Bool {
            try PodSocket.connect(
                in: network.namespace(pod), to: network.address("server"), port: 8001, timeout: 400) != nil
        }
        #expect(try connects("green") && !connects("blue"))

        func rows<Row: ListingRow>(_ type: Row.Type, _ options: [String] = []) throws -> [Row] {
            let run = try agent.ask(Row.listing.rawValue, ["--json"] + options)
            #expect(run.code == 0)
            return try JSONDecoder().decode([Row].self, from: Data(run.output.utf8))
        }
        let policies = try rows(PolicyReport.self)
        #expect(policies.map(\.text) == ["NetworkPolicy lab/first", "NetworkPolicy lab/seal"])
        #expect(policies.allSatisfy { $0.state == .inForce })
        #expect(try agent.ask("policies", ["-o", "name"]).output.hasPrefix("NetworkPolicy/lab/first\n"))

        let rules = try rows(RuleReport.self).filter { $0.pod == "lab/server" && $0.direction == "ingress" }
        let allowing = rules.filter { $0.verdict == .allow && ($0.packets ?? 0) > 0 }
        #expect(allowing.first?.rule?.object == "NetworkPolicy lab/first", "\(rules)")
        #expect(allowing.first?.rule?.place?.hasSuffix("policy.yaml:10:5") == true, "\(rules)")
        #expect(rules.contains { $0.verdict == .defaultDeny && ($0.packets ?? 0) > 0 }, "\(rules)")

        let flows = try rows(FlowRow.self)
        #expect(flows.contains { $0.pod == "lab/server" && $0.direction == "ingress" && $0.isAnswered }, "\(flows)")
        #expect(flows.contains { $0.protocol == "TCP" && $0.own.hasSuffix(":8001") }, "\(flows)")
        #expect(flows.allSatisfy { $0.silentSeconds < 120 }, "\(flows)")
        #expect(try rows(FlowRow.self, ["-n", "nowhere"]).isEmpty)

        let identities = try rows(IdentityReport.self)
        #expect(identities.contains { $0.label.contains("green") && $0.addresses > 0 }, "\(identities)")
        #expect(try rows(CapacityUse.self).contains { $0.name == "np_flow_sets" && ($0.memoryBytes ?? 0) > 0 })

        for listing in Listing.allCases {
            for form in ["table", "wide", "yaml", "name"] {
                let run = try agent.ask(listing.rawValue, ["-o", form])
                #expect(run.code == 0, "\(listing) \(form): \(run)")
            }
            // On a terminal of 80 columns no line is longer, but for one cell that is, which is written whole.
            let file = "\(agent.folder)/\(listing.rawValue).tty"
            let command = ([RunningAgent.executable.path(), listing.rawValue] + agent.place).joined(separator: " ")
            _ = try agent.run(
                ["-qfc", "stty cols 80; \(command)", file], program: URL(filePath: "/usr/bin/script"))
            let lines = try String(contentsOfFile: file, encoding: .utf8).split(whereSeparator: \.isNewline)
                .filter { !$0.hasPrefix("Script ") }
            let plain = lines.map { $0.replacing(/\u{1b}\[[0-9;]*m/, with: "") }
            let long = plain.filter { $0.count > 80 }
            #expect(
                !plain.isEmpty && long.allSatisfy { $0.hasPrefix("    ") && !$0.dropFirst(4).contains("  ") }, "\(long)"
            )
            #expect(!plain.contains { $0.contains("…") }, "\(plain)")
        }
        // An answer that cannot be written is an error of every command.
        let commands =
            Listing.allCases.map { [$0.rawValue, "-o", "json"] } + [
                ["status"], ["status", "-o", "json"], ["wait", "--policy", "lab/first"],
                ["wait", "--policy", "lab/first", "-o", "yaml"], ["host"], ["agent", "reload"], ["monitor"],
                ["monitor", "--json"],
            ]
        for words in commands {
            let command = try agent.launchOnFullDevice(words, output: "full.log")
            for _ in 0..<100 where command.isRunning {
                // Something to monitor.
                if words.first == "monitor" { _ = try connects("blue") } else { usleep(100_000) }
            }
            let said = try String(contentsOfFile: "\(agent.folder)/full.log", encoding: .utf8)
            #expect(!command.isRunning && command.waitUntilExit() == 3, "\(words): \(said)")
            #expect(said.contains("standard output cannot be written"), "\(words): \(said)")
        }
        // The page of the agent itself has the same forms.
        let status = try JSONDecoder().decode(
            StatusReport.self, from: Data(agent.ask("status", ["-o", "json"]).output.utf8))
        let names = try agent.ask("status", ["-o", "name"])
        #expect(
            names.output.split(separator: "\n").map(String.init) == Set(status.health.problems.map(\.subject)).sorted())
        #expect(names.code == (status.health.isHealthy ? 0 : 1))
        #expect(try agent.ask("status", ["-o", "wide"]).output.hasPrefix("health"))
        let lab = try agent.ask("status", ["-n", "lab"])
        #expect(lab.output.contains("\npolicies     2 in force, 0 refused\n"), "\(lab)")
        let nowhere = try agent.ask("status", ["-n", "nowhere"])
        #expect(nowhere.output.contains("\npolicies     0 in force, 0 refused\nendpoints    0 ready"), "\(nowhere)")
        for wrong in [
            ["status", "-o", "xml"], ["status", "--json", "-o", "table"], ["status", "--ready", "-o", "json"],
        ] {
            #expect(try agent.ask(wrong[0], Array(wrong.dropFirst())).code == 2, "\(wrong)")
        }
        for wrong in [["identities", "-n", "lab"], ["endpoints", "-o", "xml"], ["maps", "--json", "-o", "name"]] {
            #expect(try agent.ask(wrong[0], Array(wrong.dropFirst())).code == 2, "\(wrong)")
        }
    }
}
