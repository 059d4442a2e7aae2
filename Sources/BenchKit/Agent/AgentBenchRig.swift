import Agent
import Foundation
import Glibc
import LabKit
import NetTypes
import Support

/// An agent over two pods of a network of its own, and its folder of manifests.
final class AgentBenchRig {
    static let client = IPAddress(ipv4: 0x0af4_0902)
    static let server = IPAddress(ipv4: 0x0af4_0903)

    let routed: RoutedNetwork
    let socket: String
    private let folder: String
    private let instance: String
    private var process: Int32 = -1
    private var edits = 0
    private let clock = ContinuousClock()

    /// Builds the network and starts the agent; returns when everything is in force. `close` takes all of it away.
    init(policies: Int) throws {
        instance = "bench-agent-\(getpid())"
        folder = "/run/netpold/\(instance)"
        socket = "/run/netpold/\(instance).sock"
        mkdir("/run/netpold", 0o755)
        guard mkdir(folder, 0o700) == 0 else { throw SystemError("make folder", folder, .current) }
        do {
            let layout = NetworkLayout(
                nodeAddresses: [IPAddress(ipv4: 0x0af4_0001)],
                attachments: [
                    .init(name: "client", nodeInterface: "npclient", addresses: [Self.client]),
                    .init(name: "server", nodeInterface: "npserver", addresses: [Self.server]),
                ])
            routed = try RoutedNetwork.build(layout, in: folder)
        } catch {
            try? RoutedNetwork.remove(folder: folder)
            throw error
        }
        do {
            try start(policies: policies)
        } catch {
            close()
            throw error
        }
    }

    private var manifests: String { "\(folder)/manifests" }

    private func start(policies: Int) throws {
        mkdir(manifests, 0o700)
        try write(
            "pods.yaml", [("client", Self.client), ("server", Self.server)].map(Self.pod).joined(separator: "---\n"))
        try write(
            "policies.yaml", (0..<policies).map { Self.policy("p\($0)", port: 1000 + $0) }.joined(separator: "---\n"))
        try write("edited.yaml", Self.policy("edited", port: 900))
        process = try LabProcess.start(
            [
                "agent", "--manifests", manifests, "--instance", instance, "--node", "node-1", "--cni-cache",
                "\(folder)/cni", "--netns", NetworkLayout.nodePath(in: folder), "--netns-dir",
                NetworkLayout.podsFolder(in: folder),
            ], log: "\(folder)/agent.log")
        let deadline = clock.now + .seconds(60)
        while true {
            if let isInForce = try? wait(.seconds(30)), isInForce { return }
            guard LabProcess.isRunning(child: process), clock.now < deadline else {
                throw SystemError(
                    "start", "agent", nil, detail: (try? String(contentsOfFile: "\(folder)/agent.log", encoding: .utf8))
                )
            }
            usleep(50_000)
        }
    }

    /// Ends the agent and takes everything away.
    func close() {
        if process > 0 {
            kill(process, SIGTERM)
            for _ in 0..<200 where LabProcess.isRunning(child: process) { usleep(20_000) }
            if LabProcess.isRunning(child: process) { kill(process, SIGKILL) }
        }
        if let detaching = try? LabProcess.start(
            ["detach", "--instance", instance, "--netns", NetworkLayout.nodePath(in: folder)],
            log: "\(folder)/detach.log")
        {
            for _ in 0..<500 where LabProcess.isRunning(child: detaching) { usleep(20_000) }
        }
        try? RoutedNetwork.remove(folder: folder)
        try? FileManager.default.removeItem(atPath: folder)
    }

    /// Edits one policy; answers after how many milliseconds it was in force.
    func edit() throws -> Double {
        edits += 1
        try write("edited.yaml", Self.policy("edited", port: 900 + edits % 2))
        let start = clock.now
        guard try wait(.seconds(240)) else { throw SystemError("edit", "a policy", .timedOut) }
        return (clock.now - start) / .milliseconds(1)
    }

    /// Asks for the status; answers after how many milliseconds it came.
    func status() throws -> Double {
        let start = clock.now
        _ = try report()
        return (clock.now - start) / .milliseconds(1)
    }

    /// Packets dropped so far.
    func dropped() throws -> UInt64 {
        try report().reasons.filter(\.isDrop).reduce(0) { $0 + $1.count.packets }
    }

    private func report() throws -> StatusReport {
        let client = try LocalClient(path: socket)
        try client.send(.status)
        guard case .status(let status) = try client.next(timeout: .seconds(240)) else {
            throw SystemError("ask for", "status", nil, detail: "the agent gave another answer")
        }
        return status
    }

    private func wait(_ limit: Duration) throws -> Bool {
        let client = try LocalClient(path: socket)
        try client.send(.wait(timeoutMilliseconds: Int(limit / .milliseconds(1))))
        guard case .waited(let isInForce, _) = try client.next(timeout: limit + .seconds(5)) else { return false }
        return isInForce
    }

    /// Writes a manifest as careful programs do: whole, then renamed.
    private func write(_ name: String, _ text: String) throws {
        try text.write(toFile: "\(manifests)/\(name)", atomically: true, encoding: .utf8)
    }

    private static func pod(_ name: String, _ address: IPAddress) -> String {
        """
        apiVersion: v1
        kind: Pod
        metadata: {name: \(name), namespace: bench, labels: {app: \(name)}}
        spec: {nodeName: node-1, containers: [{name: main}]}
        status: {phase: Running, podIP: \(address), podIPs: [{ip: \(address)}]}

        """
    }

    /// A policy of the server that lets nobody there is in.
    private static func policy(_ name: String, port: Int) -> String {
        """
        apiVersion: networking.k8s.io/v1
        kind: NetworkPolicy
        metadata: {name: \(name), namespace: bench}
        spec:
          podSelector: {matchLabels: {app: server}}
          policyTypes: [Ingress]
          ingress:
          - from: [{podSelector: {matchLabels: {app: other}}}]
            ports: [{protocol: UDP, port: \(port)}]

        """
    }
}
