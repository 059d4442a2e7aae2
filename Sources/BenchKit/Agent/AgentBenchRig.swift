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
    private let folder: BenchFolder
    private let interrupt: Interrupt
    private var edits = 0
    private let clock = ContinuousClock()

    /// Builds the network and starts the agent; returns when everything is in force. `close` takes all of it away.
    ///
    /// - Parameters:
    ///   - policies: policies that select the server.
    ///   - interrupt: checked whenever the agent is waited for.
    /// - Throws: `Interrupt.Signalled`; what the network or the agent refused.
    init(policies: Int, _ interrupt: Interrupt) throws {
        self.interrupt = interrupt
        folder = try BenchFolder("bench-agent")
        socket = "\(InstancePaths.folder)/\(folder.name).sock"
        let layout = NetworkLayout(
            nodeAddresses: [IPAddress(ipv4: 0x0af4_0001)],
            attachments: [
                .init(name: "client", nodeInterface: "npclient", addresses: [Self.client]),
                .init(name: "server", nodeInterface: "npserver", addresses: [Self.server]),
            ])
        routed = try folder.build(layout, check: interrupt.check)
        do {
            try start(policies: policies)
        } catch {
            close()
            throw error
        }
    }

    private var manifests: String { folder.file("manifests") }

    private func start(policies: Int) throws {
        mkdir(manifests, 0o700)
        try write(
            "pods.yaml", [("client", Self.client), ("server", Self.server)].map(Self.pod).joined(separator: "---\n"))
        try write(
            "policies.yaml", (0..<policies).map { Self.policy("p\($0)", port: 1000 + $0) }.joined(separator: "---\n"))
        try write("edited.yaml", Self.policy("edited", port: 900))
        let log = folder.file("agent.log")
        let process = try LabProcess.start(
            BoundProcess.arguments(
                LabProcess.ownPath,
                [
                    "agent", "--manifests", manifests, "--instance", folder.name, "--node", "node-1", "--cni-cache",
                    folder.file("cni"), "--netns", NetworkLayout.nodePath(in: folder.network), "--netns-dir",
                    NetworkLayout.podsFolder(in: folder.network),
                ]), log: log, program: BoundProcess.starter)
        let deadline = clock.now + .seconds(60)
        while true {
            if let isInForce = try? wait(.seconds(30)), isInForce { return }
            try interrupt.check()
            guard LabProcess.isRunning(child: process), clock.now < deadline else {
                let said = try? String(contentsOfFile: log, encoding: .utf8)
                throw SystemError("start", "agent", nil, detail: said)
            }
            usleep(50_000)
        }
    }

    /// Ends the agent and takes everything away.
    func close() { folder.remove() }

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
        guard case .status(let status) = try answer(to: .status, within: .seconds(240)) else {
            throw SystemError("ask for", "status", nil, detail: "the agent gave another answer")
        }
        return status
    }

    private func wait(_ limit: Duration) throws -> Bool {
        let request = APIRequest.wait(timeoutMilliseconds: Int(limit / .milliseconds(1)))
        guard case .waited(let isInForce, _) = try answer(to: request, within: limit + .seconds(5)) else {
            return false
        }
        return isInForce
    }

    /// The agent's answer, `nil` when it hangs up; a signal is seen while it is waited for.
    private func answer(to request: APIRequest, within limit: Duration) throws -> APIReply? {
        let client = try LocalClient(path: socket)
        try client.send(request)
        let deadline = clock.now + limit
        while true {
            try interrupt.check()
            do {
                return try client.next(timeout: .milliseconds(200))
            } catch let error as SystemError where error.errno == .timedOut && clock.now < deadline {
                continue
            }
        }
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
