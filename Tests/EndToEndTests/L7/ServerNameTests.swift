import CNetpoldABI
import Foundation
import Glibc
import LabKit
import NetTypes
import Testing

/// The program at both ends.
private enum TLSScript {
    static let path = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "tls.py").path()
    static var canRun: Bool {
        geteuid() == 0 && (["/usr/bin/python3", "/usr/bin/openssl"] as [String]).allSatisfy { access($0, X_OK) == 0 }
    }
}

/// TLS between pods by policies with serverNames, through the kernel's own TCP: hellos as a real client sends them, resets that a
/// real socket takes.
@Suite(
    "TLS server names between pods", .enabled(if: TLSScript.canRun, "needs root, python3 and openssl"),
    .serialized)
struct ServerNameTests {
    private static let pods = """
        apiVersion: v1
        kind: Namespace
        metadata: {name: lab}
        ---
        apiVersion: v1
        kind: Pod
        metadata: {name: client, namespace: lab, uid: u1, labels: {app: client}}
        spec: {nodeName: node-1, containers: []}
        status: {phase: Running, podIPs: [{ip: 10.244.9.1}, {ip: "fd44:9::1"}]}
        ---
        apiVersion: v1
        kind: Pod
        metadata: {name: server, namespace: lab, uid: u2, labels: {app: server}}
        spec: {nodeName: node-1, containers: []}
        status: {phase: Running, podIPs: [{ip: 10.244.9.2}, {ip: "fd44:9::2"}]}
        """

    private static func policy(_ isEgress: Bool, _ names: String) -> String {
        let rule = "toPorts: [{ports: [{port: \"443\", protocol: TCP}], serverNames: [\(names)]}]"
        return """
            apiVersion: cilium.io/v2
            kind: CiliumNetworkPolicy
            metadata: {name: names, namespace: lab}
            spec: {endpointSelector: {matchLabels: {app: \(isEgress ? "client" : "server")}}, \
            \(isEgress ? "egress: [{toEntities: [all]" : "ingress: [{fromEntities: [all]"), \(rule)}]}
            """
    }

    private func start(_ arguments: [String], in namespace: String, _ network: PodNetwork) throws -> (Process, Pipe) {
        let process = Process()
        let output = Pipe()
        process.executableURL = URL(filePath: "/usr/bin/nsenter")
        process.arguments =
            ["--net=\(network.podsFolder)/\(namespace)", "/usr/bin/python3", TLSScript.path] + arguments
        process.standardOutput = output
        try process.run()
        return (process, output)
    }

    /// What came of a client's connection, and after how many seconds.
    private func talk(_ name: String, _ address: String, _ network: PodNetwork) throws -> (what: String, after: Double)
    {
        let (process, output) = try start(["client", address, "443", name], in: "client", network)
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        let words = text.split(whereSeparator: \.isWhitespace)
        return (words.first.map(String.init) ?? "", words.last.flatMap { Double($0) } ?? .infinity)
    }

    @Test("an allowed name connects; another one, none and plain HTTP are reset at once", arguments: [true, false])
    func connections(isEgress: Bool) throws {
        let network = try PodNetwork(Self.pods, tag: "sni\(UInt16.random(in: .min ... .max))")
        let (server, output) = try start(["server", "443"], in: "server", network)
        defer { server.terminate() }
        #expect(String(decoding: output.fileHandleForReading.availableData, as: UTF8.self).contains("ready"))
        try network.apply(Self.policy(isEgress, "good.example.com, '*.shop.test'"))
        for address in ["10.244.9.2", "fd44:9::2"] {
            for name in ["good.example.com", "GOOD.example.COM", "a.shop.test"] {
                let answer = try talk(name, address, network)
                #expect(answer.what == "hellomore", "\(name) at \(address)")
            }
            for name in ["bad.example.com", "a.b.shop.test", "-", "http"] {
                let answer = try talk(name, address, network)
                #expect(answer.what == "reset" && answer.after < 1, "\(name) at \(address): \(answer)")
            }
        }
        let reasons = try network.packetsByReason()
        #expect(reasons[UInt8(NP_DROP_SERVER_NAME.rawValue), default: 0] >= 6)
        #expect(reasons[UInt8(NP_DROP_HELLO.rawValue), default: 0] >= 2)
    }
}
