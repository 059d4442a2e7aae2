import Agent
import Foundation
import KubeTestServer
import Testing

/// The real agent, real pods, and an API server that comes and goes.
@Suite("An agent that follows an API server", .enabled(if: geteuid() == 0, "needs root"), .serialized)
struct ClusterAgentTests {
    /// The agent as a child process, with the kubeconfig of a server that it reaches through a relay.
    private final class Cluster {
        let network: PodNetwork
        let server: TestAPIServer
        private let relay: PortRelay
        private let folder: String
        private let instance: String
        private var child: Process?

        init() async throws {
            network = try PodNetwork(SwapCluster.pods, tag: "kube\(UInt16.random(in: .min ... .max))")
            server = try await TestAPIServer.start()
            relay = try PortRelay(in: network.routed.node, to: UInt16(server.port))
            instance = "kube-\(getpid())-\(UInt16.random(in: .min ... .max))"
            folder = NSTemporaryDirectory() + instance
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            try server.kubeconfig().replacing(server.url, with: "https://127.0.0.1:\(relay.port)")
                .write(toFile: "\(folder)/config", atomically: true, encoding: .utf8)
            try server.apply("{apiVersion: v1, kind: Namespace, metadata: {name: lab}}")
            try server.apply("{apiVersion: v1, kind: Node, metadata: {name: node-1}}")
            try server.apply(SwapCluster.pods)
        }

        func stop() async {
            kill()
            _ = try? run(["detach", "--instance", instance, "--netns", network.nodePath])
            relay.stop()
            await server.stop()
            try? FileManager.default.removeItem(atPath: folder)
        }

        func start() throws {
            try start(RunningAgent.executable.path(), ["agent", "--kubeconfig", "\(folder)/config"])
        }

        /// Starts the agent as in a pod: it finds the API server by its variables and the files of a service account, which a mount of
        /// its own has where pods have them.
        func startInPod(_ token: String) throws {
            try setToken(token)
            try TestCertificates.authority.write(
                toFile: "\(account)/ca.crt", atomically: true, encoding: .utf8)
            let place = "/run/secrets/kubernetes.io/serviceaccount"
            try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
            try start(
                "/usr/bin/unshare",
                [
                    "--mount", "--propagation", "slave", "/bin/sh", "-c",
                    "mount --bind \(account) \(place) && exec \(RunningAgent.executable.path()) agent \"$@\"", "agent",
                ], ["KUBERNETES_SERVICE_HOST": "127.0.0.1", "KUBERNETES_SERVICE_PORT": "\(relay.port)"])
        }

        /// As the kubelet does: a new file in place of the old one.
        func setToken(_ token: String) throws {
            try FileManager.default.createDirectory(atPath: account, withIntermediateDirectories: true)
            try token.write(toFile: "\(account)/token", atomically: true, encoding: .utf8)
        }

        private var account: String { "\(folder)/account" }

        private func start(_ program: String, _ arguments: [String], _ variables: [String: String] = [:]) throws {
            let process = Process()
            process.executableURL = URL(filePath: program)
            process.arguments =
                arguments + [
                    "--instance", instance, "--node", "node-1", "--netns", network.nodePath, "--netns-dir",
                    network.podsFolder, "--log-level", "notice",
                ]
            process.environment = ProcessInfo.processInfo.environment.merging(variables) { $1 }
            _ = FileManager.default.createFile(atPath: "\(folder)/log", contents: nil)
            process.standardError = FileHandle(forWritingAtPath: "\(folder)/log")
            try process.run()
            child = process
        }

        func kill() {
            guard let child, child.isRunning else { return }
            Glibc.kill(child.processIdentifier, SIGKILL)
            child.waitUntilExit()
            self.child = nil
            unlink("/run/netpold/\(instance).sock")
        }

        var log: String { (try? String(contentsOfFile: "\(folder)/log", encoding: .utf8)) ?? "" }

        /// What `netpold status` prints.
        func status() throws -> String { try run(["status", "--instance", instance]) }

        /// What `netpold wait` prints of a policy.
        func wait(_ policy: String, _ options: [String] = []) throws -> String {
            try run(["wait", "--policy", policy, "--instance", instance] + options)
        }

        private func run(_ arguments: [String]) throws -> String {
            let process = Process()
            process.executableURL = RunningAgent.executable
            process.arguments = arguments
            let file = "\(folder)/out-\(UInt32.random(in: .min ... .max))"
            _ = FileManager.default.createFile(atPath: file, contents: nil)
            process.standardOutput = FileHandle(forWritingAtPath: file)
            process.standardError = FileHandle(forWritingAtPath: file)
            try process.run()
            process.waitUntilExit()
            return try String(contentsOfFile: file, encoding: .utf8)
        }

        func connects(_ pod: String, _ port: UInt16) throws -> Bool {
            try PodSocket.connect(
                in: network.namespace(pod), to: network.address("server"), port: port, timeout: 300) != nil
        }

        /// Waits until green reaches 8001 or not, and blue 8002 the other way round; 90 s at most: other tests hold the threads of the pool meanwhile.
        func until(green: Bool, _ what: Comment, _ location: SourceLocation = #_sourceLocation) async throws {
            let end = ContinuousClock.now + .seconds(90)
            while ContinuousClock.now < end {
                if try connects("green", 8001) == green, try connects("blue", 8002) != green { return }
                try await Task.sleep(for: .milliseconds(50))
            }
            Issue.record("\(what): not in force\n\(try status())\n\(log)", sourceLocation: location)
        }

        /// Waits until the status says something; 90 s at most.
        func until(status words: String, _ location: SourceLocation = #_sourceLocation) async throws {
            let end = ContinuousClock.now + .seconds(90)
            while ContinuousClock.now < end {
                if try status().contains(words) { return }
                try await Task.sleep(for: .milliseconds(200))
            }
            Issue.record("the status does not say \"\(words)\"\n\(try status())\n\(log)", sourceLocation: location)
        }
    }

    @Test(
        "policies of the API server are enforced; without it, and after kill -9 of the agent, they stay; what changed meanwhile comes"
    )
    func followed() async throws {
        let cluster = try await Cluster()
        let inside = try cluster.network.namespace("server")
        let listeners = try [8001, 8002].map { try PodSocket.listener(in: inside, port: $0) }
        let policies = try cluster.server.resource("networkpolicies")
        try cluster.server.apply(SwapCluster.first)
        try cluster.start()
        try await cluster.until(green: true, "the first policy")

        try cluster.server.apply(SwapCluster.second)
        cluster.server.delete(policies, namespace: "lab", name: "first")
        // At once after the write: the watch may not have told yet.
        #expect(try cluster.wait("lab/second").contains("NetworkPolicy lab/second is in force (resource version"))
        #expect(try cluster.wait("lab/first", ["--gone"]) == "no policy lab/first is in force\n")
        #expect(try !cluster.connects("green", 8001) && cluster.connects("blue", 8002))
        try await cluster.until(green: false, "the second policy")

        // The API server is killed.
        await cluster.server.stopAccepting()
        cluster.server.cutConnections()
        try await cluster.until(status: "everything last read stays in force")
        #expect(try !cluster.connects("green", 8001) && cluster.connects("blue", 8002))
        let unknown = try cluster.wait("lab/second", ["--timeout", "1"])
        #expect(unknown.contains("not within 1 s: nobody can say which version"), "\(unknown)")

        // Its objects change; the agent is killed, and begins without it.
        try cluster.server.apply(SwapCluster.first)
        cluster.server.delete(policies, namespace: "lab", name: "second")
        cluster.kill()
        #expect(try !cluster.connects("green", 8001) && cluster.connects("blue", 8002))
        try cluster.start()
        try await cluster.until(status: "nothing is put in force before")
        #expect(try !cluster.connects("green", 8001) && cluster.connects("blue", 8002))

        // It is back.
        try await cluster.server.startAccepting()
        try await cluster.until(green: true, "what changed meanwhile")
        let status = try cluster.status()
        #expect(!status.contains("can be read"), "\(status)")
        withExtendedLifetime(listeners) {}
        await cluster.stop()
    }

    @Test("as in a pod: the service account's files and variables are enough, and its token may change at any time")
    func inCluster() async throws {
        let cluster = try await Cluster()
        let inside = try cluster.network.namespace("server")
        let listeners = try [8001, 8002].map { try PodSocket.listener(in: inside, port: $0) }
        let policies = try cluster.server.resource("networkpolicies")
        let agent = APIUser(
            name: "system:serviceaccount:kube-system:netpold",
            rules: [.init(verbs: ["list", "watch"], resources: ["*"])])
        cluster.server.setToken("first", agent)
        try cluster.server.apply(SwapCluster.first)
        try cluster.startInPod("first")
        try await cluster.until(green: true, "the first policy")
        #expect(cluster.log.contains("the service account in /var/run/secrets/kubernetes.io/serviceaccount"))

        cluster.server.setToken("second", agent)
        try cluster.setToken("second")
        cluster.server.setToken("first", nil)
        cluster.server.cutConnections()
        try cluster.server.apply(SwapCluster.second)
        cluster.server.delete(policies, namespace: "lab", name: "first")
        try await cluster.until(green: false, "the second policy")
        // Without a token that counts, what was read stays.
        cluster.server.setToken("second", nil)
        cluster.server.cutConnections()
        try await cluster.until(status: "everything last read stays in force")
        #expect(try !cluster.connects("green", 8001) && cluster.connects("blue", 8002))
        withExtendedLifetime(listeners) {}
        await cluster.stop()
    }
}
