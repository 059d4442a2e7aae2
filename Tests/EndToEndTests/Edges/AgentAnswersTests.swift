import Foundation
import Glibc
import NetTypes
import Testing

/// What the commands say about an agent is one truth, in words and in exit codes.
@Suite("one truthful answer", .enabled(if: geteuid() == 0, "needs root"), .serialized)
struct AgentAnswersTests {
    private let network: PodNetwork
    private let agent: RunningAgent

    init() throws {
        network = try PodNetwork(SwapCluster.pods, tag: "answers\(UInt16.random(in: .min ... .max))")
        agent = try RunningAgent(network, manifests: ["pods.yaml": SwapCluster.pods, "policy.yaml": SwapCluster.first])
    }

    private static let refused = SwapCluster.first.replacing("name: first", with: "name: wrong") + "\n  surprise: 1\n"

    private func options(_ more: [String] = []) -> [String] {
        [
            "agent", "--manifests", "\(agent.folder)/manifests", "--netns", agent.node, "--netns-dir",
            network.podsFolder, "--cni-cache", "\(agent.folder)/cni", "--node", "node-1",
        ] + more
    }

    @Test("status, status --wait and --ready answer by one health, and say what is not as written")
    func oneHealth() throws {
        try agent.start()
        let well = try agent.ask("status")
        #expect(well.code == 0)
        #expect(well.output.hasPrefix("health       everything is enforced as written\n"))

        try agent.write("wrong.yaml", Self.refused)
        let waited = try agent.ask("status", ["--wait"])
        #expect(waited.code == 1)
        #expect(waited.output.contains("health       not everything is enforced as written: 1 problem\n"))
        #expect(waited.output.contains("! NetworkPolicy lab/wrong: refused"))
        #expect(waited.output.contains("error: not everything is enforced as written: 1 problem, as listed"))
        #expect(try agent.ask("status").code == 1)
        let ready = try agent.ask("status", ["--ready"])
        #expect(ready.code == 0 && ready.output.isEmpty, "one author's policy does not make the node unready")
        #expect(try agent.ask("status", ["--live"]).code == 0)

        try agent.remove("wrong.yaml")
        #expect(try agent.ask("status", ["--wait"]).code == 0)
    }

    @Test("agent --once answers by the same health")
    func once() throws {
        let place = ["--instance", agent.instance, "--socket", agent.socket]
        #expect(try agent.run(options(place + ["--once"])).code == 0)
        try agent.write("wrong.yaml", Self.refused)
        let refused = try agent.run(options(place + ["--once"]))
        #expect(refused.code == 1)
        #expect(refused.output.contains("error: NetworkPolicy lab/wrong: refused"))
    }

    @Test("a failed start leaves no pins behind, and no pins of an earlier agent are taken away")
    func failedStart() throws {
        let pins = "/sys/fs/bpf/netpold/\(agent.instance)"
        let nowhere = ["--instance", agent.instance, "--socket", "\(agent.folder)/no/such/folder/s"]
        let failed = try agent.run(options(nowhere))
        #expect(failed.code == 3)
        #expect(failed.output.contains("/no/such/folder/s"))
        #expect(!FileManager.default.fileExists(atPath: pins))

        try agent.start()
        agent.end(SIGTERM)
        #expect(try agent.run(options(nowhere)).code == 3)
        #expect(FileManager.default.fileExists(atPath: pins))
    }

    @Test("status --wait right after the start waits for the socket")
    func waitBeforeSocket() throws {
        let waiting = try agent.launch(["status", "--wait"] + agent.place, output: "waiting.log")
        usleep(500_000)
        #expect(waiting.isRunning)
        try agent.start()
        #expect(waiting.waitUntilExit() == 0)
        agent.end(SIGTERM)
        let start = Date()
        let absent = try agent.ask("status", ["--wait", "--timeout", "1"])
        #expect(absent.code == 1)
        #expect(absent.output.contains("no agent of instance"))
        #expect(Date().timeIntervalSince(start) < 10)
    }

    @Test("every client gives up in time on a server that never answers", arguments: ["status", "endpoints"])
    func clientTimeout(command: String) throws {
        let silent = try SilentServer(path: agent.socket)
        defer { withExtendedLifetime(silent) {} }
        let start = Date()
        let run = try agent.ask(command, ["--timeout", "1"])
        #expect(run.code == 1)
        #expect(run.output.contains("does not answer"), "\(run.output)")
        #expect(Date().timeIntervalSince(start) < 10)
    }

    @Test("a log that nobody reads any more ends no agent")
    func closedLog() throws {
        let process = Process()
        let log = Pipe()
        process.executableURL = RunningAgent.executable
        process.arguments = options(["--instance", agent.instance, "--socket", agent.socket])
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        process.standardError = log
        try process.run()
        try log.fileHandleForReading.close()
        #expect(try agent.ask("status", ["--wait"]).code == 0)
        kill(process.processIdentifier, SIGHUP)
        usleep(300_000)
        #expect(try agent.ask("status", ["--wait"]).code == 0)
        process.terminate()
        process.waitUntilExit()
        #expect(process.terminationReason == .exit && process.terminationStatus == 0)
    }

    @Test("the hint about what an earlier agent left names its instance, and is said only where there is any")
    func detachHint() throws {
        #expect(try !agent.ask("status").output.contains("netpold detach"))
        try agent.start()
        agent.end(SIGTERM)
        #expect(try agent.ask("status").output.contains("`netpold detach --instance \(agent.instance)`"))
    }

    @Test("SIGHUP reads everything again, and the log says so in the format asked for")
    func hangUpSignal() throws {
        try agent.start(["--log-format", "json"])
        // The node's addresses may have settled meanwhile, and that is a change.
        let said = agent.log.split(separator: "\n").count { $0.contains("policies in force") }
        try agent.signal(SIGHUP)
        for _ in 0..<200 where !agent.log.contains("reading everything again") { usleep(20_000) }
        let lines = agent.log.split(separator: "\n").map(String.init)
        let reading = try #require(lines.first { $0.contains("reading everything again") })
        #expect(
            reading.hasPrefix(#"{"time":""#)
                && reading.contains(#"","level":"notice","msg":"reading everything again","signal":"#))
        for line in lines {
            let object = try #require(
                try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any], "\(line)")
            #expect(object["msg"] is String)
        }
        let inForce = try #require(lines.first { $0.contains("policies in force") })
        #expect(inForce.contains(#""policies":1"#))
        #expect(inForce.firstMatch(of: /"compileMilliseconds":[0-9.]+/) != nil)
        // Nothing changed since: it is not said again.
        #expect(said > 0 && lines.count { $0.contains("policies in force") } == said)
        #expect(agent.end(SIGTERM) == 0)
        #expect(agent.log.contains("ending; what is loaded goes on enforcing"))
    }

    @Test("whoever finds no agent is told of instances that have one, not of sockets that a killed one left")
    func liveInstances() throws {
        let name = "left-\(getpid())"
        let left = "/run/netpold/\(name).sock"
        let socket = try SilentServer(path: left)
        socket.close()
        defer { unlink(left) }
        #expect(FileManager.default.fileExists(atPath: left))
        let run = try agent.ask("status")
        #expect(run.code == 1)
        #expect(!run.output.contains(name), "\(run.output)")
    }

    @Test("--health-address answers probes, and a tenant's refused policy does not make the node unready")
    func probes() throws {
        try agent.write("wrong.yaml", Self.refused)
        try agent.start(["--health-address", "127.0.0.1:9180"])
        for path in ["/readyz", "/livez"] {
            let answer = try get(path)
            #expect(answer.hasPrefix("HTTP/1.1 200 OK") && answer.hasSuffix("ok\n"), "\(answer)")
        }
        #expect(try agent.ask("status").code == 1)
        agent.end(SIGTERM)
        let taken = try agent.run(
            options(["--instance", agent.instance, "--socket", agent.socket, "--health-address", "0.0.0.0:9180"]))
        #expect(taken.code == 2)
    }

    private func get(_ path: String) throws -> String {
        let connection = try #require(
            try PodSocket.connect(in: network.routed.node, to: IPAddress(ipv4: 0x7f00_0001), port: 9180))
        connection.send(Array("GET \(path) HTTP/1.1\r\nHost: node\r\n\r\n".utf8))
        var text = ""
        while let bytes = connection.receive(timeout: 2000) { text += String(decoding: bytes, as: UTF8.self) }
        return text
    }
}
