import BPFEmit
import Datapath
import Foundation
import Glibc
import NetTypes
import NetpoldTestSupport
import PolicyAPI
import PolicyIR

/// One run: a network, an agent, traffic, and steps at random that disturb all of them.
final class ChaosRun {
    let network: ChaosNetwork
    let agent: AgentProcess
    let timeline = ChaosTimeline()
    private(set) var quietPoints = 0
    private let reader: KernelReader
    private var random: SplitMix64
    private var policies = ChaosPolicies()
    private let pairs: [ProbePair]

    private static let step = ["policy", "policy", "policy", "truncation", "loss", "addresses", "kill", "flood", "pod"]

    /// Builds everything and puts the first policies in force.
    init(seed: UInt64) throws {
        random = SplitMix64(seed: seed)
        network = try ChaosNetwork(pods: 10)
        agent = try AgentProcess(
            node: network.nodePath, pods: network.podsFolder, more: ["--cni-cache", network.cacheFolder],
            cluster: network.pods.map(\.manifest).joined(separator: "---\n"))
        reader = try KernelReader(network, instance: agent.instance)
        var pairs: Set<ProbePair> = []
        while pairs.count < 20 {
            guard let from = network.pods.randomElement(using: &random),
                let to = network.pods.randomElement(using: &random), from != to
            else { continue }
            pairs.insert(
                ProbePair(from: from.name, to: to.name, port: ChaosPolicies.ports.randomElement(using: &random) ?? 9000)
            )
        }
        // Two that use the address of somebody else: nothing of them may ever arrive.
        for (from, to, victim) in [("pod-0", "pod-3", "pod-2"), ("pod-1", "pod-4", "pod-2")] {
            pairs.insert(ProbePair(from: from, to: to, port: 9000, pretending: victim))
        }
        self.pairs = pairs.sorted { ($0.from, $0.to, $0.port) < ($1.from, $1.to, $1.port) }
        for (file, text) in policies.files { try agent.write(text, to: file) }
        try beginVersion(policies)
        try agent.launch()
        try settle("start")
    }

    /// Disturbs until the time is over; every probe that was sent meanwhile.
    func run(_ time: Duration) throws -> [ProbeTraffic.Probe] {
        let traffic = try ProbeTraffic(network, pairs)
        try traffic.start()
        let end = ContinuousClock.now + time
        do {
            while ContinuousClock.now < end {
                let step = Self.step.randomElement(using: &random) ?? "policy"
                timeline.note(step)
                try perform(step)
                try settle(step)
            }
        } catch {
            _ = traffic.join()
            throw error
        }
        return traffic.join()
    }

    private func perform(_ step: String) throws {
        switch step {
        case "policy": try changePolicies()
        case "truncation": try truncate()
        case "loss": try loseFolder()
        case "addresses": try changeAddresses()
        case "kill":
            agent.kill()
            usleep(200_000)
            try agent.launch()
        case "flood": try flood()
        default: try losePod()
        }
    }

    /// Several files at once; those that are replaced, half of the time in place.
    private func changePolicies() throws {
        let before = policies.files
        for _ in 0..<Int.random(in: 1...3, using: &random) { _ = policies.mutate(&random) }
        for mixed in policies.mixes(from: before) { try beginVersion(mixed) }
        for file in Set(before.keys).union(policies.files.keys).sorted() where before[file] != policies.files[file] {
            let path = "\(agent.manifests)/\(file)"
            if let text = policies.files[file] {
                timeline.note("  write \(file)")
                if before[file] != nil, Bool.random(using: &random) {
                    try overwrite(path, with: text, pause: 20_000)
                } else {
                    try agent.write(text, to: file)
                }
            } else {
                timeline.note("  remove \(file)")
                try FileManager.default.removeItem(atPath: path)
            }
        }
    }

    /// Writes in place, as `>` of a shell does: the file is empty, then half there, then whole.
    private func overwrite(_ path: String, with text: String, pause: UInt32) throws {
        let file = fopen(path, "w")
        guard let file else { throw PodNetworkError("open \(path): \(errno)") }
        defer { fclose(file) }
        usleep(pause)
        let half = text.utf8.count / 2
        fputs(String(decoding: text.utf8.prefix(half), as: UTF8.self), file)
        fflush(file)
        usleep(pause)
        fputs(String(decoding: text.utf8.dropFirst(half), as: UTF8.self), file)
    }

    /// A generator that died: the file is empty, or ends too early. Later it is written again.
    private func truncate() throws {
        guard let file = (Array(policies.files.keys) + ["cluster.yaml"]).sorted().randomElement(using: &random) else {
            return
        }
        let path = "\(agent.manifests)/\(file)"
        let text = try String(contentsOfFile: path, encoding: .utf8)
        let length = Bool.random(using: &random) ? 0 : Int.random(in: 0..<text.utf8.count, using: &random)
        timeline.note("  \(file) ends after \(length) bytes")
        Glibc.truncate(path, length)
        usleep(400_000)
        // Nothing that was in force is gone.
        try settle("truncation of \(file)")
        try text.write(toFile: path, atomically: true, encoding: .utf8)
    }

    private func loseFolder() throws {
        // A policy whose file was removed just before, and whose wait would end while the folder is empty, stays with what was lost.
        try settle("what came before a loss")
        let aside = agent.manifests + "-aside"
        try FileManager.default.createDirectory(atPath: aside, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: aside) }
        let files = try FileManager.default.contentsOfDirectory(atPath: agent.manifests)
        for file in files { rename("\(agent.manifests)/\(file)", "\(aside)/\(file)") }
        usleep(700_000)
        for file in files.shuffled(using: &random) { rename("\(aside)/\(file)", "\(agent.manifests)/\(file)") }
    }

    /// A pod takes another one's address, or gives its own away.
    private func changeAddresses() throws {
        guard let pod = network.pods.randomElement(using: &random),
            let victim = network.pods.randomElement(using: &random), pod != victim
        else { return }
        let taken = ["ip", "addr", "add", "\(victim.address)/32", "dev", "eth0"]
        let changes: [([String], [String])] = [
            (taken, ["ip", "addr", "del", "\(victim.address)/32", "dev", "eth0"]),
            (
                ["ip", "addr", "del", "\(pod.address)/24", "dev", "eth0"],
                ["ip", "addr", "add", "\(pod.address)/24", "dev", "eth0"]
            ),
        ]
        let (change, back) = changes[Int.random(in: 0..<changes.count, using: &random)]
        timeline.note("  \(pod.name): \(change.joined(separator: " "))")
        let routes = try inside(pod, ["ip", "route", "show", "default"])
        try inside(pod, change)
        usleep(300_000)
        try inside(pod, back)
        // The way out goes with the address.
        if let way = routes.split(separator: "\n").first, try inside(pod, ["ip", "route", "show", "default"]).isEmpty {
            try inside(pod, ["ip", "route", "add"] + way.split(separator: " ").map(String.init))
        }
    }

    /// Denied datagrams as fast as they go, while a monitor is open.
    private func flood() throws {
        let monitor = Process()
        monitor.executableURL = AgentProcess.executable
        monitor.arguments = ["monitor", "--instance", agent.instance]
        monitor.standardOutput = FileHandle.nullDevice
        monitor.standardError = FileHandle.nullDevice
        try monitor.run()
        defer {
            monitor.terminate()
            monitor.waitUntilExit()
        }
        guard let from = network.pods.randomElement(using: &random),
            let to = network.pods.randomElement(using: &random)
        else { return }
        let socket = try PodSocket.udp(in: network.namespace(from.name))
        let end = ContinuousClock.now + .seconds(1)
        while ContinuousClock.now < end {
            for _ in 0..<100 { socket.send([0], to: to.address, port: 7) }
        }
        try changePolicies()
        try settle("policy under flood")
    }

    /// A Pod object goes while the pod lives, and comes back.
    private func losePod() throws {
        guard let pod = network.pods.randomElement(using: &random) else { return }
        timeline.note("  \(pod.name)'s object is gone")
        let rest = network.pods.filter { $0 != pod }.map(\.manifest).joined(separator: "---\n")
        try agent.write(rest, to: "cluster.yaml")
        usleep(700_000)
        try settle("loss of \(pod.name)'s object")
        try agent.write(network.pods.map(\.manifest).joined(separator: "---\n"), to: "cluster.yaml")
    }

    /// Waits until the kernel has what a compile from scratch gives.
    private func settle(_ what: String) throws {
        try ChaosSettling(reader: reader, agent: agent, timeline: timeline, limit: .seconds(15))
            .wait(for: policies.objects(network.pods), after: what)
        quietPoints += 1
    }

    private func beginVersion(_ policies: ChaosPolicies) throws {
        let objects = try policies.objects(network.pods)
        let evaluator = ReferenceEvaluator(
            objects, policies: PolicyLowering.lower(objects, for: .enforcement).policies, localNode: "node-1")
        let allowed = try pairs.filter { pair in
            guard pair.pretending == nil else { return false }
            let flow = Flow(
                from: .pod(namespace: "chaos", name: pair.from), to: .pod(namespace: "chaos", name: pair.to),
                protocol: .udp, port: pair.port)
            return try evaluator.decide(flow).verdict == .allow
        }
        timeline.begin(allowed: Set(allowed))
    }

    @discardableResult
    private func inside(_ pod: ChaosPod, _ command: [String]) throws -> String {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/nsenter")
        process.arguments = ["--net=\(network.podsFolder)/\(pod.name)"] + command
        let output = Pipe()
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        let answer = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return String(decoding: answer, as: UTF8.self)
    }
}
