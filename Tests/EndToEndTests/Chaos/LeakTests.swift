import Agent
import CLibBPF
import CNetpoldABI
import Datapath
import Foundation
import Glibc
import KubeTestServer
import LabKit
import NetTypes
import NetpoldTestSupport
import Testing

/// `LEAK_CHANGES` says how many changes are made; CI makes a few.
@Suite("Leaks", .enabled(if: geteuid() == 0, "needs root"), .serialized)
struct LeakTests {
    @Test("after many changes of pods, interfaces, policies and labels, and the end of all, nothing is left of them")
    func changes() async throws {
        let environment = ProcessInfo.processInfo.environment
        let seed = environment["CHAOS_SEED"].flatMap(UInt64.init) ?? UInt64.random(in: 0...9999)
        let count = environment["LEAK_CHANGES"].flatMap(Int.init) ?? 150
        let world = try await LeakWorld(seed: seed)
        do {
            try check(world, seed: seed, count: count)
        } catch {
            Issue.record("seed \(seed): \(error)")
        }
        await world.stop()
        #expect(!FileManager.default.fileExists(atPath: "/sys/fs/bpf/netpold/\(world.agent.instance)"))
    }

    private func check(_ world: LeakWorld, seed: UInt64, count: Int) throws {
        // Caches, thread pools and connections are as large as they get.
        try world.change(times: 40)
        try world.deleteAll()
        let before = try world.holdings()
        try world.change(times: count)
        let during = try world.holdings()
        try world.deleteAll()
        var after = try world.holdings()
        // The kernel frees programs and sockets after a while.
        for _ in 0..<50 where after.counts != before.counts {
            usleep(200_000)
            after = try world.holdings()
        }
        let differences = Set(before.counts.keys).union(after.counts.keys).filter {
            before.counts[$0, default: 0] != after.counts[$0, default: 0]
        }.sorted().map { "\($0): \(before.counts[$0, default: 0]) before, \(after.counts[$0, default: 0]) after" }
        #expect(differences == [], "seed \(seed), \(count) changes")
        #expect(after.ends <= LeakWorld.mostEnds, "seed \(seed), \(count) changes")
        #expect(
            after.addresses - after.ends <= before.addresses - before.ends + LeakWorld.mostServices,
            "seed \(seed), \(count) changes")
        // Pools of threads are as large as the latest burst.
        #expect(after.threads <= before.threads + 2, "seed \(seed), \(count) changes")
        let grown = (after.memory - before.memory) >> 20
        #expect(grown < 16, "seed \(seed): \(grown) MiB more after \(count) changes")
        // There was something to be left.
        for kind in ["programs", "links"] {
            #expect(during.counts[kind, default: 0] > before.counts[kind, default: 0], "\(kind)")
        }
        let entries = before.counts.keys.filter { $0.hasPrefix("entries") }
        #expect(entries.contains { during.counts[$0, default: 0] > before.counts[$0, default: 0] })
        print(
            "leaks: seed \(seed), \(count) changes; \(before.memory >> 20) MiB before, \(during.memory >> 20) during, \(after.memory >> 20) "
                + "after; programs \(before.counts["programs", default: 0]), \(during.counts["programs", default: 0]), "
                + "\(after.counts["programs", default: 0]); \(before.counts.count) kinds of things counted")
    }
}

/// An agent that follows an API server, and pods that come and go with their interfaces.
final class LeakWorld {
    /// What the agent holds: files, kernel objects, entries of its maps, by kind.
    struct Holdings {
        var counts: [String: Int] = [:]
        var threads = 0
        /// Endpoints of Services to which flows may still live: remembered for hours, and their addresses.
        var ends = 0
        /// Known addresses: of nodes and pods, of those ends, and for some minutes those that Services had.
        var addresses = 0
        /// Its anonymous memory, bytes.
        var memory = 0
    }

    let agent: AgentProcess
    private let folder: String
    private let node: NetworkNamespace
    private let server: TestAPIServer
    private let relay: PortRelay
    private var random: SplitMix64
    private var state: ClusterChaosState
    private var pods: [ChaosPod] = []
    private static let most = 6
    /// Those pods, and the twenty of another node.
    static let mostEnds = most + 20
    /// `ClusterChaosState` has so many Services at most.
    static let mostServices = 5

    init(seed: UInt64) async throws {
        random = SplitMix64(seed: seed)
        folder = "/run/netpold/leak-\(getpid())-\(UInt16.random(in: .min ... .max))"
        try FileManager.default.createDirectory(atPath: folder + "/pods", withIntermediateDirectories: true)
        node = try NetworkNamespace.create(at: folder + "/node")
        try node.run {
            let netlink = try NetlinkSocket()
            try netlink.setUp(netlink.link(named: "lo").index)
        }
        state = ClusterChaosState([])
        server = try await TestAPIServer.start()
        relay = try PortRelay(in: node, to: UInt16(server.port))
        let config = folder + "/config"
        try server.kubeconfig().replacing(server.url, with: "https://127.0.0.1:\(relay.port)")
            .write(toFile: config, atomically: true, encoding: .utf8)
        for text in state.texts.values.sorted() { try server.apply(text) }
        agent = try AgentProcess(node: folder + "/node", pods: folder + "/pods", kubeconfig: config)
        try agent.launch()
        try untilInForce { $0.isInForce }
    }

    /// Takes everything away.
    func stop() async {
        agent.end()
        for pod in pods { try? removeInterface(pod) }
        relay.stop()
        await server.stop()
        try? NetworkNamespace.remove(at: folder + "/node")
        try? FileManager.default.removeItem(atPath: folder)
    }

    // MARK: changes

    /// Changes at random, most of them in force one by one.
    func change(times: Int) throws {
        for number in 0..<times {
            let before = state
            switch random.below(10) {
            case 0...1: try changePods()
            case 2...3: if !pods.isEmpty { state.relabel(random.pick(pods), &random) }
            case 4: state.relabelNamespace(&random)
            case 5: state.changeServices(&random)
            case 6: state.changeRemotes(&random)
            default: state.changePolicy(&random)
            }
            try write(from: before)
            usleep(15_000)
            if number % 25 == 24 { try untilInForce { $0.isInForce } }
        }
        while pods.count < 2 {
            let before = state
            try addPod()
            try write(from: before)
        }
        try untilInForce { [pods] in $0.isInForce && $0.endpointsReady == pods.count }
    }

    /// Deletes pods with their interfaces, policies and Services; returns when the agent knows of none.
    func deleteAll() throws {
        let before = state
        for pod in pods {
            state[ClusterChaosState.key(pod)] = nil
            try removeInterface(pod)
        }
        pods = []
        for key in state.keys({ $0.kind != "Namespace" && $0.kind != "Node" }) { state[key] = nil }
        try write(from: before)
        try untilInForce { $0.isInForce && $0.endpointsReady == 0 && $0.policiesInForce == 0 && $0.conditions.isEmpty }
        // What stays for the next time.
        let empty = state
        state = ClusterChaosState([])
        let kept = state.texts.filter { $0.key.kind == "Namespace" || $0.key.kind == "Node" }
        for key in state.keys({ kept[$0] == nil }) { state[key] = nil }
        try write(from: empty)
        try untilInForce { $0.isInForce }
    }

    private func write(from before: ClusterChaosState) throws {
        for key in state.changed(from: before) {
            if let text = state[key] {
                try server.apply(text)
            } else if let resource = (APIResource.builtIns + APIResource.policyCRDs).first(where: {
                $0.kind == key.kind
            }) {
                server.delete(resource, namespace: key.namespace, name: key.name)
            }
        }
    }

    private func changePods() throws {
        guard pods.count == Self.most || !pods.isEmpty && random.once(in: 2) else { return try addPod() }
        let pod = pods.remove(at: random.below(pods.count))
        state[ClusterChaosState.key(pod)] = nil
        try removeInterface(pod)
    }

    private func addPod() throws {
        let number = (0..<Self.most).first { number in !pods.contains { $0.name == "pod-\(number)" } } ?? 0
        let pod = ChaosPod(
            namespace: ClusterChaosState.namespaces[number % 2], name: "pod-\(number)", app: "red",
            address: IPAddress(ipv4: 0x0af6_0001 + UInt32(number)))
        let inside = try NetworkNamespace.create(at: "\(folder)/pods/\(pod.name)")
        let netlink = try node.run { try NetlinkSocket() }
        let (here, there) = (
            MACAddress(local: UInt32(number + 1), side: 0), MACAddress(local: UInt32(number + 1), side: 1)
        )
        try netlink.addVeth(
            here: .init(name: "lk\(number)", address: here), there: .init(name: "eth0", address: there), in: inside)
        let link = try netlink.link(named: "lk\(number)").index
        try netlink.setUp(link)
        try netlink.addRoute(RouteSpec(IPPrefix(host: pod.address), .link(link)))
        let own = try inside.run { try NetlinkSocket() }
        let eth0 = try own.link(named: "eth0").index
        try own.setUp(eth0)
        try own.addAddress(pod.address, to: eth0)
        pods.append(pod)
        state[ClusterChaosState.key(pod)] = pod.manifest
    }

    private func removeInterface(_ pod: ChaosPod) throws {
        let netlink = try node.run { try NetlinkSocket() }
        try netlink.removeLink(netlink.link(named: "lk\(pod.name.dropFirst(4))").index)
        try NetworkNamespace.remove(at: "\(folder)/pods/\(pod.name)")
    }

    // MARK: what the agent says and holds

    private func status() throws -> StatusReport? {
        let client = try LocalClient(path: "/run/netpold/\(agent.instance).sock")
        try client.send(.status)
        if case .status(let report) = try client.next() { return report }
        return nil
    }

    /// Waits until the status is as wanted twice, some time apart: what was written last may be on its way.
    private func untilInForce(_ isWanted: (StatusReport) -> Bool) throws {
        let end = ContinuousClock.now + .seconds(60)
        var times = 0
        while times < 2 {
            let report = try status()
            times = report.map(isWanted) == true ? times + 1 : 0
            guard ContinuousClock.now < end else {
                throw PodNetworkError("not in force: \(String(describing: report))")
            }
            usleep(60_000)
        }
    }

    /// What the agent holds now.
    func holdings() throws -> Holdings {
        guard let pid = agent.pid else { throw PodNetworkError("the agent has ended") }
        var found = Holdings()
        for name in try FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/fd") {
            guard let target = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(pid)/fd/\(name)")
            else {
                continue
            }
            found.counts["file \(target.prefix { $0 != "[" && !$0.isNumber })", default: 0] += 1
        }
        found.threads = try FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/task").count
        let pins = "/sys/fs/bpf/netpold/\(agent.instance)"
        var maps: Set<UInt32> = []
        for case let name as String in FileManager.default.enumerator(atPath: pins) ?? .init() {
            found.counts["pins", default: 0] += 1
            if name.contains("links/") { found.counts["links", default: 0] += 1 }
            guard let map = Self.map(at: "\(pins)/\(name)") else { continue }
            maps.insert(map.id)
            if let entries = map.entries { found.counts["entries of \(name)"] = entries }
        }
        let version = "entries of v\(NP_ABI_VERSION)"
        found.ends = found.counts.removeValue(forKey: "\(version)/np_backend_ends") ?? 0
        found.addresses = found.counts.removeValue(forKey: "\(version)/np_addresses") ?? 0
        let (programs, used) = Self.programs(using: maps)
        found.counts["programs"] = programs
        found.counts["maps"] = maps.union(used).count
        let status = try String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8)
        let line = status.split(separator: "\n").first { $0.hasPrefix("RssAnon") } ?? ""
        found.memory = (Int(line.filter(\.isNumber)) ?? 0) << 10
        return found
    }

    /// The number of a pinned map, and how many entries it has, where those come and go; `nil` for anything else.
    private static func map(at path: String) -> (id: UInt32, entries: Int?)? {
        let descriptor = bpf_obj_get(path)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        let kind = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\(descriptor)")
        guard kind?.hasSuffix("bpf-map") == true else { return nil }
        var info = bpf_map_info()
        var size = UInt32(MemoryLayout<bpf_map_info>.size)
        guard bpf_obj_get_info_by_fd(descriptor, &info, &size) == 0 else { return nil }
        return (info.id, entries(descriptor, info))
    }

    private static func entries(_ descriptor: Int32, _ info: bpf_map_info) -> Int? {
        let isTable = [BPF_MAP_TYPE_HASH, BPF_MAP_TYPE_PERCPU_HASH, BPF_MAP_TYPE_LPM_TRIE].contains {
            $0.rawValue == info.type
        }
        let isOfObjects = [BPF_MAP_TYPE_PROG_ARRAY, BPF_MAP_TYPE_ARRAY_OF_MAPS, BPF_MAP_TYPE_HASH_OF_MAPS].contains {
            $0.rawValue == info.type
        }
        guard isTable || isOfObjects else { return nil }
        var key = [UInt8](repeating: 0, count: Int(info.key_size))
        var next = key
        var object: UInt32 = 0
        var count = 0
        var isFirst = true
        while bpf_map_get_next_key(descriptor, isFirst ? nil : key, &next) == 0 {
            (key, isFirst) = (next, false)
            // An array has all keys; those of no object have no value.
            if isTable || bpf_map_lookup_elem(descriptor, key, &object) == 0 { count += 1 }
        }
        return count
    }

    /// All programs of the kernel that use one of these maps, and the maps that those use.
    private static func programs(using maps: Set<UInt32>) -> (count: Int, used: Set<UInt32>) {
        var (count, used): (Int, Set<UInt32>) = (0, [])
        var id: UInt32 = 0
        while bpf_prog_get_next_id(id, &id) == 0 {
            let descriptor = bpf_prog_get_fd_by_id(id)
            guard descriptor >= 0 else { continue }
            defer { close(descriptor) }
            var numbers = [UInt32](repeating: 0, count: 64)
            var info = bpf_prog_info()
            var size = UInt32(MemoryLayout<bpf_prog_info>.size)
            let status = numbers.withUnsafeMutableBufferPointer { buffer in
                info.nr_map_ids = UInt32(buffer.count)
                info.map_ids = UInt64(UInt(bitPattern: buffer.baseAddress))
                return bpf_obj_get_info_by_fd(descriptor, &info, &size)
            }
            guard status == 0 else { continue }
            let own = numbers.prefix(Int(min(info.nr_map_ids, 64)))
            guard own.contains(where: maps.contains) else { continue }
            count += 1
            used.formUnion(own)
        }
        return (count, used)
    }
}
