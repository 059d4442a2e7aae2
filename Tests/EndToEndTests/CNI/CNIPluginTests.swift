import Agent
import Foundation
import Glibc
import NetTypes
import Testing

@testable import Datapath

/// `netpold cni` behind the CNI project's plugins, called as libcni calls them, with the real agent.
@Suite("the CNI plugin", .enabled(if: EdgeNode.canBuild, "needs root and containernetworking-plugins"), .serialized)
struct CNIPluginTests {
    private let world: CNIWorld

    init() throws { world = try CNIWorld() }

    /// What a pod's datagram to the node's port 9000 came to: whether it arrived.
    private func arrives(from pod: CNIWorld.Pod, at sink: PodSocket, attempts: Int = 3) throws -> Bool {
        let socket = try PodSocket.udp(in: pod.namespace)
        while sink.receive(timeout: 1) != nil {}
        for _ in 0..<attempts {
            socket.send([1], to: CNIWorld.gateway, port: 9000)
            if sink.receive(timeout: 100)?.first == 1 { return true }
        }
        return false
    }

    @Test(
        "ADD, CHECK and DEL through chains of the reference plugins; the pod is bound by the plugin's note",
        arguments: [
            ("bridge", "0.3.1", ["portmap"]), ("bridge", "0.4.0", ["portmap", "bandwidth", "tuning"]),
            ("ptp", "1.0.0", ["bandwidth", "tuning"]),
        ])
    func chains(type: String, version: String, more: [String]) throws {
        try world.write(pods: [("one", "open"), ("two", "shut")])
        try world.agent.launch()
        let chain = world.chain(type, version: version, more: more)
        let one = try world.start("one", chain)
        let two = try world.start("two", chain)
        #expect(one.addresses.count == 2)
        let rows = try rows()
        #expect(rows["cni/one"]?.state == .ready && rows["cni/one"]?.evidence == "cniRecord")
        #expect(rows["cni/one"]?.addresses == one.addresses.map(\.description).sorted())
        if type == "bridge" {
            let sink = try PodSocket.udp(in: world.node, port: 9000)
            #expect(try arrives(from: one, at: sink))
            #expect(try !arrives(from: two, at: sink))
        }
        // 0.3.1 has no CHECK; the plugins refuse it.
        if version != "0.3.1" {
            try chain.check(one.container, namespace: one.path, arguments: world.arguments("one"), result: one.result)
        }
        try world.delete(one, chain)
        try world.delete(two, chain)
        // DEL again, and for what was never made, is fine.
        try chain.call(
            chain.plugins[chain.plugins.count - 1], "DEL", one.container, "", world.arguments("one"), previous: nil)
        #expect(try self.rows().isEmpty || self.rows().values.allSatisfy { $0.state != .ready })
        #expect(
            (try? FileManager.default.contentsOfDirectory(atPath: "/run/netpold/\(world.agent.instance).cni")) == [])
    }

    @Test("before the agent's first start a pod is closed; the agent opens what policies allow")
    func beforeAgent() throws {
        try world.write(pods: [("one", "open"), ("two", "shut")])
        let chain = world.chain("bridge", ["waitSeconds": 0, "onTimeout": "start"])
        let one = try world.start("one", chain)
        let two = try world.start("two", chain)
        let sink = try PodSocket.udp(in: world.node, port: 9000)
        #expect(try !arrives(from: one, at: sink))
        #expect(try !arrives(from: two, at: sink))
        try world.agent.start()
        #expect(try arrives(from: one, at: sink, attempts: 30))
        #expect(try !arrives(from: two, at: sink))
        // What closed them is gone: one program a direction.
        #expect(try programs(two) == 2)
    }

    @Test("while the agent is dead ADD fails with 11 after its wait, and the interface is closed all the same")
    func deadAgent() throws {
        try world.write(pods: [("one", "open"), ("late", "open")])
        try world.agent.start()
        world.agent.kill()
        let chain = world.chain("bridge", ["waitSeconds": 1])
        let error = #expect(throws: PluginChain.Failure.self) { try world.start("late", chain) }
        #expect(error?.plugin == "netpold" && error?.code == 11, "\(error?.description ?? "")")
        #expect(error?.description.contains("no agent of instance") == true)
        let path = "\(world.folder)/pods/late"
        let namespace = try NetworkNamespace(path: path)
        let sink = try PodSocket.udp(in: world.node, port: 9000)
        let late = CNIWorld.Pod(
            name: "late", container: world.container("late"), path: path, namespace: namespace, result: [:],
            addresses: [])
        #expect(try !arrives(from: late, at: sink))
        try world.agent.start()
        // A neighbour that did not answer is asked again after a second.
        #expect(try arrives(from: late, at: sink, attempts: 30))
    }

    @Test("a pod without an object waits, says why, and starts when its object comes")
    func objectComesLater() async throws {
        try world.write(pods: [])
        try world.agent.launch()
        let chain = world.chain("bridge", ["waitSeconds": 1])
        let error = #expect(throws: PluginChain.Failure.self) { try world.start("one", chain) }
        #expect(error?.code == 11)
        #expect(error?.description.contains("no Pod object of cni/one") == true, "\(error?.description ?? "")")
        try world.write(pods: [("two", "open")])
        let two = try world.start("two", world.chain("bridge"))
        let sink = try PodSocket.udp(in: world.node, port: 9000)
        #expect(try arrives(from: two, at: sink))
    }

    @Test("pods that send from their first microsecond: nothing unpoliced passes")
    func firstMicrosecond() throws {
        let count = Int(ProcessInfo.processInfo.environment["NETPOLD_POD_STARTS"] ?? "") ?? 12
        let names = (0..<count).map { "pod-\($0)" }
        try world.write(pods: names.map { ($0, "shut") } + [("control", "open")])
        try world.agent.launch()
        let chain = world.chain("bridge")
        let sink = try PodSocket.udp(in: world.node, port: 9000)
        var sent = 0
        for name in names {
            let pod = try world.start(name, chain)
            let socket = try PodSocket.udp(in: pod.namespace)
            for _ in 0..<50 { socket.send([7], to: CNIWorld.gateway, port: 9000) }
            sent += 50
        }
        var passed = 0
        while sink.receive(timeout: 20) != nil { passed += 1 }
        #expect(passed == 0)
        // That what passes would have been seen.
        let control = try world.start("control", chain)
        #expect(try arrives(from: control, at: sink))
        print("pod starts: \(count), \(sent) datagrams from their first moment, \(passed) passed")
    }

    @Test("without the plugin a pod is open until the agent has found it: how long, and that it ends")
    func windowWithoutPlugin() throws {
        let count = Int(ProcessInfo.processInfo.environment["NETPOLD_POD_STARTS"] ?? "") ?? 5
        let names = (0..<count).map { "pod-\($0)" }
        try world.write(pods: names.map { ($0, "shut") })
        try world.agent.launch()
        var chain = world.chain("bridge")
        chain.plugins.removeLast()
        let sink = try PodSocket.udp(in: world.node, port: 9000)
        let clock = ContinuousClock()
        var windows: [Duration] = []
        for name in names {
            let pod = try world.start(name, chain)
            let began = clock.now
            // What the runtime keeps beside it, by which the agent knows the pod.
            try world.note(pod, chain)
            let socket = try PodSocket.udp(in: pod.namespace)
            var last = Duration.zero
            while clock.now - began < .milliseconds(900) {
                let sent = clock.now - began
                socket.send([UInt8(truncatingIfNeeded: windows.count)], to: CNIWorld.gateway, port: 9000)
                usleep(200)
                while sink.receive(timeout: 0) != nil { last = sent }
            }
            windows.append(last)
        }
        let sorted = windows.sorted()
        let (median, p99) = (sorted[sorted.count / 2], sorted[min(sorted.count - 1, sorted.count * 99 / 100)])
        print(
            "open without the plugin: \(count) pods, p50 \(median / .milliseconds(1)) ms, p99 \(p99 / .milliseconds(1)) ms"
        )
        #expect(sorted.allSatisfy { $0 < .milliseconds(890) })
    }

    // MARK: looking

    private func rows() throws -> [String: EndpointReport] {
        let client = try LocalClient(path: "/run/netpold/\(world.agent.instance).sock")
        guard let rows = try client.list(EndpointReport.self) else { throw PodNetworkError("no endpoints") }
        return Dictionary(rows.rows.map { ($0.name, $0) }) { first, _ in first }
    }

    /// How many programs the two directions of a pod's interface run.
    private func programs(_ pod: CNIWorld.Pod) throws -> Int {
        try world.node.run {
            let links = try HostScanner.look(at: pod.path).links
            return try links.flatMap { Hook.both(of: $0.ifindex) }.reduce(0) { count, hook in
                let filters = try NetlinkSocket().filters(of: hook.ifindex, hook.side)
                return try count + Libbpf.chain(ifindex: hook.ifindex, hook.side).count + filters.count
            }
        }
    }
}
