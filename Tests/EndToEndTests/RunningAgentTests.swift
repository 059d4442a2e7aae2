import Agent
import Foundation
import Glibc
import PolicyAPI
import Testing

@Suite("netpold agent", .enabled(if: geteuid() == 0, "needs root"), .serialized)
struct RunningAgentTests {
    private let network: PodNetwork
    private let agent: RunningAgent

    init() throws {
        network = try PodNetwork(SwapCluster.pods, tag: "agent\(UInt16.random(in: .min ... .max))")
        agent = try RunningAgent(network, manifests: ["pods.yaml": SwapCluster.pods, "policy.yaml": SwapCluster.first])
    }

    private func connects(_ pod: String, _ port: UInt16) throws -> Bool {
        try PodSocket.connect(
            in: network.namespace(pod), to: network.address("server"), port: port, timeout: 400) != nil
    }

    @Test("a folder is enforced, changed in place, kept when broken, and gone after detach")
    func lifecycle() throws {
        let listeners = try [8001, 8002].map { try PodSocket.listener(in: network.namespace("server"), port: $0) }
        defer { withExtendedLifetime(listeners) {} }
        try agent.start()
        #expect(try connects("green", 8001))
        #expect(try !connects("blue", 8001))

        try agent.write("policy.yaml", SwapCluster.second)
        try agent.settle()
        #expect(try connects("blue", 8002))
        #expect(try !connects("green", 8001))

        for broken in [SwapCluster.first + "\n  surprise: 1\n", "spec: [", ""] {
            try agent.write("policy.yaml", SwapCluster.second)
            try agent.settle()
            guard !broken.isEmpty else { break }
            try agent.write("policy.yaml", broken.replacing("name: first", with: "name: second"))
            try agent.settle()
            #expect(try connects("blue", 8002))
            #expect(try !connects("green", 8001))
            #expect(try agent.ask("status").output.contains("stay"))
        }

        // An agent that starts while the file is broken learns from copies what was in force.
        try agent.write("policy.yaml", "spec: [")
        agent.end(SIGKILL)
        try agent.start()
        #expect(try connects("blue", 8002))
        #expect(try !connects("green", 8001))

        try agent.remove("policy.yaml")
        try agent.settle()
        #expect(try connects("green", 8001))
        try agent.write("policy.yaml", SwapCluster.first)
        try agent.settle()
        let endpoints = try agent.ask("endpoints")
        #expect(endpoints.output.split(separator: "\n").count == 5, "\(endpoints.output)")
        #expect(endpoints.output.contains("isolated: lab/first"))

        #expect(try agent.detach().code == 1, "an agent is running")
        #expect(agent.end(SIGTERM) == 0)
        #expect(try !connects("blue", 8001))
        let gone = try agent.ask("status")
        #expect(gone.code == 1)
        #expect(gone.output.contains("no agent of instance"))
        let detached = try agent.detach()
        #expect(detached.code == 0)
        #expect(detached.output.contains(" pins of /sys/fs/bpf/netpold/\(agent.instance)/"))
        #expect(detached.output.contains(" pins removed"))
        #expect(try connects("blue", 8001))
        #expect(try agent.detach().output.hasPrefix("nothing of instance"))
    }

    @Test("detach removes every file that an agent leaves for the next one")
    func files() throws {
        let paths = try #require(InstancePaths(instance: agent.instance))
        func left() throws -> [String] {
            try FileManager.default.contentsOfDirectory(atPath: InstancePaths.folder).filter {
                $0.hasPrefix("\(agent.instance).")
            }.map { "\(InstancePaths.folder)/\($0)" }
        }
        try agent.write("names.yaml", Self.asksNames)
        try agent.start()
        try agent.settle()
        #expect(agent.end(SIGTERM) == 0)
        #expect(try Set(left()).isSuperset(of: [paths.bindings, paths.lastGood]))
        for path in paths.records + [paths.proxyRules] where access(path, F_OK) != 0 {
            #expect(FileManager.default.createFile(atPath: path, contents: nil))
        }
        // As while a proxy runs: it compares the revision in the rules.
        let status = ProxyStatus(processID: getpid(), revision: 1)
        try JSONEncoder().encode(status).write(to: URL(filePath: paths.proxyState))
        #expect(try agent.detach().code == 0)
        #expect(try Set(left()) == [paths.proxyRules, paths.proxyState])
        try FileManager.default.removeItem(atPath: paths.proxyState)
        #expect(try agent.detach().output.contains("removed \(paths.proxyRules)"))
        #expect(try left() == [])
    }

    /// A policy with rules for DNS, and with names that are learnt.
    private static let asksNames = """
        apiVersion: cilium.io/v2
        kind: CiliumNetworkPolicy
        metadata: {name: asks, namespace: lab}
        spec:
          endpointSelector: {matchLabels: {app: green}}
          egress:
            - toPorts:
                - ports: [{port: "53", protocol: UDP}, {port: "53", protocol: TCP}]
                  rules: {dns: [{matchPattern: "*"}]}
            - toFQDNs: [{matchName: www.example.com}]
        """

    @Test("a namespace without a pod is reported, and cut off under --unknown all-isolate")
    func unknownNamespace() throws {
        let listener = try PodSocket.listener(in: network.namespace("server"), port: 8001)
        defer { withExtendedLifetime(listener) {} }
        let known = SwapCluster.pods.replacing("name: blue", with: "name: elsewhere").replacing("7.11", with: "7.99")
        try agent.write("pods.yaml", known)
        try agent.remove("policy.yaml")
        try agent.start()
        #expect(try connects("blue", 8001))
        #expect(try agent.ask("endpoints").output.contains("netns blue"))
        #expect(try agent.ask("status").output.contains("belongs to no pod"))
        agent.end(SIGTERM)
        try agent.start(["--unknown", "all-isolate"])
        #expect(try !connects("blue", 8001))
        #expect(try connects("green", 8001))
        let row = try agent.ask("endpoints").output.split(separator: "\n").first { $0.hasPrefix("netns blue") }
        #expect(row?.contains("isolated") == true)
    }

    @Test("monitor names pods, policy, rule and place, and for a default deny the nearest rule")
    func monitor() throws {
        let listener = try PodSocket.listener(in: network.namespace("server"), port: 8001)
        defer { withExtendedLifetime(listener) {} }
        try agent.start(["--verify"])
        let lines = try agent.monitored([]) {
            _ = try connects("green", 8001)
            _ = try connects("blue", 8001)
        }.split(separator: "\n").map(String.init)
        #expect(
            lines.contains {
                $0.contains("ALLOWED lab/green (")
                    && $0.contains("ingress of lab/server by NetworkPolicy lab/first spec.ingress[1] (")
                    && $0.contains("policy.yaml:10:5)")
            }, "\(lines)")
        #expect(lines.contains { $0.contains("DENIED  lab/blue (") }, "\(lines)")
        #expect(lines.contains { $0.contains("isolated by NetworkPolicy lab/first (") }, "\(lines)")
        #expect(lines.contains { $0.contains("nearest rule NetworkPolicy lab/first spec.ingress") }, "\(lines)")
        let drops = try agent.monitored(["--json", "--drops", "--pod", "lab/blue"]) {
            _ = try connects("green", 8001)
            _ = try connects("blue", 8001)
        }.split(separator: "\n")
        #expect(!drops.isEmpty)
        #expect(drops.allSatisfy { $0.hasPrefix("{") && $0.contains("\"reason\":\"NP_DROP_POLICY_DEFAULT\"") })
    }
}
