import Foundation
import Glibc
import Testing

/// Folders that lose what they held, as the real agent meets them: `blue` may never reach the server, whatever happens to
/// the file that says so, until somebody says that it is meant.
@Suite("Sources that shrink", .enabled(if: geteuid() == 0, "needs root"), .serialized)
struct ShrinkingSourceTests {
    private let network: PodNetwork
    private let agent: RunningAgent
    private var manifests: String { "\(agent.folder)/manifests" }

    init() throws {
        network = try PodNetwork(SwapCluster.pods, tag: "shrink\(UInt16.random(in: .min ... .max))")
        agent = try RunningAgent(network, manifests: ["pods.yaml": SwapCluster.pods, "policy.yaml": SwapCluster.first])
    }

    /// How many datagrams of `blue` come in at a port where none may, while `body` runs and for some time after.
    private func passed(for seconds: Double, _ body: () throws -> Void) throws -> Int {
        let server = try PodSocket.udp(in: network.namespace("server"), port: 8001)
        let stream = try DatagramStream(network, from: "blue", to: server, port: 8001)
        try stream.start(phase: PhaseClock(), pause: 2_000)
        try body()
        usleep(UInt32(seconds * 1_000_000))
        stream.join()
        #expect(stream.sent.count > 100)
        return stream.received.count
    }

    private func connects(_ pod: String, _ port: UInt16) throws -> Bool {
        let listener = try PodSocket.listener(in: network.namespace("server"), port: port)
        defer { withExtendedLifetime(listener) {} }
        return try reaches(pod, port)
    }

    private func reaches(_ pod: String, _ port: UInt16) throws -> Bool {
        try PodSocket.connect(
            in: network.namespace(pod), to: network.address("server"), port: port, timeout: 400) != nil
    }

    private func write(_ text: String, to name: String) throws {
        try text.write(toFile: "\(manifests)/\(name)", atomically: false, encoding: .utf8)
    }

    private func status() throws -> String { try agent.ask("status").output }

    @Test("a file that is emptied, broken, cut off and renamed keeps its policies over all of it and a kill -9")
    func fileShrinks() throws {
        let other = SwapCluster.first.replacing("name: first", with: "name: other").replacing(
            "app: server", with: "app: x")
        try agent.write("policy.yaml", other + "\n---\n" + SwapCluster.first + "\n")
        try agent.start()
        let whole = try String(contentsOfFile: "\(manifests)/policy.yaml", encoding: .utf8)
        for text in ["", other + "\n", "spec: [", String(whole.dropLast(90)), "# gone\n"] {
            let count = try passed(for: 3) {
                try write(text, to: "policy.yaml")
                #expect(agent.settles())
            }
            #expect(count == 0, "\(text.count) bytes")
            #expect(try status().contains("stay in force") || status().contains("stays in force"))
            #expect(try status().contains("policy.yaml"))
        }
        let count = try passed(for: 3) {
            rename("\(manifests)/policy.yaml", "\(manifests)/renamed.yaml")
            usleep(300_000)
            agent.end(SIGKILL)
            try agent.start()
        }
        #expect(count == 0)
        #expect(try status().contains("renamed.yaml"))
        try write(whole, to: "renamed.yaml")
        #expect(agent.settles())
        #expect(try !status().contains("stay in force"))
        #expect(try !connects("blue", 8001))
        #expect(try connects("green", 8001))
    }

    @Test("an emptied folder keeps everything, over a restart too, until reload --accept-empty")
    func folderEmptied() throws {
        try agent.start()
        let count = try passed(for: 4) {
            for name in ["pods.yaml", "policy.yaml"] {
                rename("\(manifests)/\(name)", "\(agent.folder)/\(name)")
            }
        }
        #expect(count == 0)
        #expect(try status().contains("the folder lost everything it held; 5 objects stay in force"))
        agent.end(SIGTERM)
        try agent.start()
        let reload = try agent.ask("agent", ["reload"])
        #expect(reload.code == 1)
        #expect(reload.output.contains("stays in force: NetworkPolicy lab/first"), "\(reload.output)")
        #expect(try !connects("blue", 8001))
        rename("\(agent.folder)/pods.yaml", "\(manifests)/pods.yaml")
        #expect(agent.settles())
        #expect(try !connects("blue", 8001))
        let accepted = try agent.ask("agent", ["reload", "--accept-empty"])
        #expect(accepted.code == 0, "\(accepted.output)")
        #expect(accepted.output.contains("not in force any more: NetworkPolicy lab/first"), "\(accepted.output)")
        #expect(agent.settles())
        #expect(try connects("blue", 8001))
        #expect(try !status().contains("stay in force"))
    }

    @Test("a folder that is gone keeps everything")
    func folderGone() throws {
        try agent.start()
        let count = try passed(for: 4) {
            rename(manifests, "\(agent.folder)/away")
            _ = try agent.ask("agent", ["reload"])
        }
        #expect(count == 0)
        #expect(try status().contains("everything last read stays in force"))
        rename("\(agent.folder)/away", manifests)
        #expect(try agent.ask("agent", ["reload"]).code == 0)
        #expect(try !connects("blue", 8001))
    }

    @Test("1,000 files moved out and back, as a whole and one by one: no packet passes")
    func movedOutAndBack() throws {
        try FileManager.default.createDirectory(atPath: "\(agent.folder)/away", withIntermediateDirectories: true)
        for index in 0..<1000 {
            try agent.write("p\(index).yaml", SwapCluster.first.replacing("name: first", with: "name: p\(index)"))
        }
        try agent.remove("policy.yaml")
        try agent.start()
        let names = (0..<1000).map { "p\($0).yaml" }
        let count = try passed(for: 3) {
            for _ in 0..<3 {
                for name in names { rename("\(manifests)/\(name)", "\(agent.folder)/away/\(name)") }
                usleep(500_000)
                for name in names { rename("\(agent.folder)/away/\(name)", "\(manifests)/\(name)") }
                usleep(200_000)
            }
        }
        #expect(count == 0)
        #expect(agent.settles())
        #expect(try status().contains("1000 in force"))
    }

    @Test("a deleted allow rule is out of force within 5 s")
    func deletedAllow() throws {
        let allow = SwapCluster.first.replacing("name: first", with: "name: more")
            .replacing("matchLabels: {app: green}", with: "matchLabels: {app: blue}")
        try agent.write("allow.yaml", allow)
        try agent.start()
        let listener = try PodSocket.listener(in: network.namespace("server"), port: 8001)
        defer { withExtendedLifetime(listener) {} }
        #expect(try reaches("blue", 8001))
        let began = ContinuousClock().now
        try agent.remove("allow.yaml")
        while try reaches("blue", 8001), began.duration(to: .now) < .seconds(8) { usleep(50_000) }
        #expect(began.duration(to: .now) < .seconds(5))
        #expect(try !reaches("blue", 8001))
    }

    @Test("a new policy that is no YAML isolates whom it names, one that names nobody is said to be out of force")
    func newBroken() throws {
        try agent.remove("policy.yaml")
        try agent.start()
        #expect(try connects("blue", 8001))
        try agent.write("new.yaml", SwapCluster.first + "\n    ports: [")
        #expect(agent.settles())
        #expect(try !connects("blue", 8001))
        #expect(try status().contains("can be seen to select is isolated"))
        try agent.write("other.yaml", "kind: NetworkPolicy\nmetadata: [")
        #expect(agent.settles())
        #expect(try status().contains("none of them is in force"))
        // What is isolated stays so when its file gets worse.
        try agent.write("new.yaml", "kind: NetworkPolicy\nmetadata: [")
        #expect(agent.settles())
        #expect(try !connects("blue", 8001))
    }

    @Test("SIGHUP reads everything again; pipes, sockets, loops and huge files are conditions and hang nothing")
    func hostile() throws {
        try agent.start()
        mkfifo("\(manifests)/pipe.yaml", 0o600)
        symlink("/dev/zero", "\(manifests)/zero.yaml")
        symlink("..", "\(manifests)/loop")
        symlink("policy.yaml", "\(manifests)/alias.yaml")
        try write(String(repeating: "[", count: 100_000), to: "deep.yaml")
        try write(
            "a: &a [x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b]\nd: [*c,*c]\n", to: "bomb.yaml")
        try write("kind: NetworkPolicy\n", to: "two\nlines.yaml")
        try FileManager.default.createDirectory(
            atPath: manifests + "/" + (0..<40).map { "d\($0)" }.joined(separator: "/"),
            withIntermediateDirectories: true)
        truncate("\(manifests)/deep.yaml", 20 << 20)
        #expect(agent.settles())
        try agent.signal(SIGHUP)
        try agent.write("policy.yaml", SwapCluster.second)
        #expect(agent.settles())
        #expect(try !connects("green", 8001))
        #expect(try connects("blue", 8002))
        let text = try status()
        for name in ["pipe.yaml", "zero.yaml", "loop", "deep.yaml", "two\\u{a}lines.yaml", "nested deeper"] {
            #expect(text.contains(name), "\(name)")
        }
        #expect(!text.contains("alias.yaml"))
        #expect(agent.log.contains("reading everything again"))
    }
}
