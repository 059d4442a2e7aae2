import BPFEmit
import Foundation
import Glibc
import LabKit
import NetTypes
import NetpoldTestSupport
import PolicyAPI
import PolicyIR

@testable import Agent
@testable import Datapath

/// A node with an uplink to the outside, whose pods are made by the plugins of Debian's containernetworking-plugins. Everything
/// is in network namespaces of its own and goes with this object.
///
///     outside 10.8.0.2, fd08::2 --- 10.8.0.1, fd08::1 node 10.9.0.1, fd09::1 --- pods 10.9.0.x, fd09::x
final class EdgeNode {
    /// How pods are connected.
    enum Topology: Hashable, CaseIterable, CustomStringConvertible {
        /// The plugin `bridge`; switched packets do not pass netfilter.
        case bridge
        /// The same with br_netfilter: they do.
        case filteredBridge
        /// The plugin `ptp`: routed veths.
        case ptp

        var plugin: String { self == .ptp ? "ptp" : "bridge" }

        var description: String {
            switch self {
            case .bridge: "bridge"
            case .filteredBridge: "bridge with br_netfilter"
            case .ptp: "ptp"
            }
        }
    }

    static let plugins = "/usr/lib/cni"
    /// Whether the plugins, and what the tests use of iproute2 and nftables, are there.
    static var canBuild: Bool {
        let programs: [String] = [
            "\(plugins)/bridge", "\(plugins)/ptp", "\(plugins)/static", "/usr/sbin/nft", "/usr/sbin/ip",
        ]
        return geteuid() == 0 && programs.allSatisfy { access($0, X_OK) == 0 }
    }
    /// Whether the kernel has br_netfilter: as a module that is not loaded it is not there.
    static var canFilterBridges: Bool { access("/proc/sys/net/bridge/bridge-nf-call-iptables", W_OK) == 0 }

    static func address(_ last: Int, v6: Bool, network: Int = 9) -> IPAddress {
        v6
            ? IPAddress(high: UInt64(0xfd00 | network) << 48, low: UInt64(last))
            : IPAddress(ipv4: 0x0a00_0000 | UInt32(network) << 16 | UInt32(last))
    }

    let topology: Topology
    let node: NetworkNamespace
    let outside: NetworkNamespace
    private(set) var pods: [String: NetworkNamespace] = [:]
    /// Interface of each pod in the node's namespace, by pod.
    private(set) var links: [String: UInt32] = [:]
    /// Last number of each pod's addresses.
    let numbers: [String: Int]
    private let folder: String
    private(set) var datapath: NodeDatapath?
    /// How the datapath is made.
    var options = DatapathOptions(pins: nil)
    private var allocator = IdentityAllocator()
    /// What the agents of the node have written down of its own policies.
    var hostRecords: HostPolicyRecords? = nil
    private lazy var former = makeFormer()

    init(_ topology: Topology, pods names: [String]) throws {
        self.topology = topology
        numbers = Dictionary(uniqueKeysWithValues: names.enumerated().map { ($1, $0 + 2) })
        folder = "/run/netpold/edge-\(getpid())-\(UInt16.random(in: .min ... .max))"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        node = try NetworkNamespace.create(at: "\(folder)/node")
        outside = try NetworkNamespace.create(at: "\(folder)/outside")
        try connectOutside()
        for name in names { try add(name) }
        if topology != .ptp {
            for file in ["iptables", "ip6tables"] where EdgeNode.canFilterBridges {
                try set(node, "bridge/bridge-nf-call-\(file)", topology == .filteredBridge ? "1" : "0")
            }
        }
    }

    deinit {
        if let datapath { try? node.run { try datapath.detach() } }
        for name in pods.keys { try? NetworkNamespace.remove(at: "\(folder)/\(name)") }
        try? NetworkNamespace.remove(at: "\(folder)/node")
        try? NetworkNamespace.remove(at: "\(folder)/outside")
        try? FileManager.default.removeItem(atPath: folder)
    }

    func pod(_ name: String) throws -> NetworkNamespace {
        guard let pod = pods[name] else { throw PodNetworkError("no pod \(name)") }
        return pod
    }

    /// A pod's address.
    func address(_ name: String, v6: Bool) -> IPAddress { EdgeNode.address(numbers[name] ?? 0, v6: v6) }

    /// Runs a command in a namespace; answers what it printed.
    @discardableResult
    func run(
        _ namespace: NetworkNamespace, _ command: [String], input: String = "", environment: [String: String] = [:]
    )
        throws -> String
    {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/nsenter")
        process.arguments = ["--net=\(namespace.path)"] + command
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        let (stdin, stdout) = (Pipe(), Pipe())
        process.standardInput = stdin
        process.standardOutput = stdout
        try process.run()
        stdin.fileHandleForWriting.write(Data(input.utf8))
        try stdin.fileHandleForWriting.close()
        let output = String(decoding: stdout.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw PodNetworkError("\(command.joined(separator: " ")): \(process.terminationStatus) \(output)")
        }
        return output
    }

    /// `ip` with these words in a namespace.
    func ip(_ namespace: NetworkNamespace, _ words: String) throws {
        try run(namespace, ["ip"] + words.split(separator: " ").map(String.init))
    }

    func set(_ namespace: NetworkNamespace, _ name: String, _ value: String) throws {
        try namespace.setting(name, value)
    }

    /// Compiles policies (YAML text) for the pods and puts them in force.
    func apply(_ policies: String) throws {
        var decoder = ManifestDecoder()
        decoder.add(Array("\(cluster)\n---\n\(policies)".utf8), file: "test.yaml")
        let decoded = decoder.finish()
        guard !decoded.hasErrors else { throw PodNetworkError("\(decoded.diagnostics)") }
        var objects = decoded.objects
        objects.localNetworks = networks
        let lowered = PolicyLowering.lower(objects)
        var state = CompilerState(objects, policies: lowered.policies, allocator: allocator)
        if options.host.mode != .off { state.compileHost() }
        let evidence = try evidence()
        try node.run {
            let datapath = try self.datapath ?? NodeDatapath(options)
            self.datapath = datapath
            former.choose(try datapath.hostStanding(), in: &state)
            allocator = state.allocator
            let image = state.image
            // As the agent does it.
            var own: [EndpointKey: [UInt32]] = [:]
            for (name, link) in links { own[EndpointKey(namespace: "edge", name: name)] = [link] }
            #if DEBUG
                let report = try InjectedFault.$current.withValue(fault) {
                    try datapath.apply(image, links: own, masters: evidence.masters)
                }
            #else
                let report = try datapath.apply(image, links: own, masters: evidence.masters)
            #endif
            serversNotAsked = report.serversNotAsked
            for endpoint in report.endpoints {
                if let failure = endpoint.failure { throw PodNetworkError(failure) }
            }
        }
    }

    #if DEBUG
        /// What fails in applies from now on.
        var fault: InjectedFault?
    #endif
    /// As the latest apply reported it.
    private(set) var serversNotAsked: String?

    /// Lets go of what enforces, as a process does that is killed; the next `apply` goes on with what is pinned.
    func restart() {
        datapath = nil
        former = makeFormer()
    }

    private func makeFormer() -> FormerHostPolicies {
        FormerHostPolicies(hostRecords) { [unowned self] in
            hostRecords = $0
        } report: { _ in
        }
    }

    /// What the host knows of its interfaces.
    func evidence() throws -> HostEvidence {
        try node.run { try HostScanner(.init(namespaces: folder, cniCaches: [])).evidence() }
    }

    /// Packets so far by `enum np_reason`.
    func packetsByReason() throws -> [UInt8: UInt64] {
        try datapath?.packetsByReason().mapValues(\.packets) ?? [:]
    }

    private var networks: [IPPrefix] {
        [false, true].flatMap { v6 in
            [8, 9].compactMap { IPPrefix(EdgeNode.address(1, v6: v6, network: $0), length: v6 ? 64 : 24) }
        }
    }

    private var cluster: String {
        let pods = numbers.sorted { $0.value < $1.value }.map { name, number in
            """
            apiVersion: v1
            kind: Pod
            metadata: {name: \(name), namespace: edge, labels: {app: \(name)}}
            spec: {nodeName: node-1, containers: [{name: main}]}
            status:
              phase: Running
              podIP: \(address(name, v6: false))
              podIPs: [{ip: \(address(name, v6: false))}, {ip: "\(address(name, v6: true))"}]
            """
        }
        let addresses = [8, 9].flatMap { network in
            [false, true].map { "{type: InternalIP, address: \"\(EdgeNode.address(1, v6: $0, network: network))\"}" }
        }
        let node = """
            apiVersion: v1
            kind: Node
            metadata: {name: node-1}
            status: {addresses: [\(addresses.joined(separator: ", "))]}
            """
        return (pods + [node]).joined(separator: "\n---\n")
    }

    private func connectOutside() throws {
        for (name, value) in [
            ("ipv4/ip_forward", "1"), ("ipv6/conf/all/forwarding", "1"), ("ipv4/conf/all/rp_filter", "0"),
            ("ipv4/conf/default/rp_filter", "0"), ("ipv6/conf/default/accept_dad", "0"),
        ] {
            try set(node, name, value)
        }
        try set(outside, "ipv6/conf/default/accept_dad", "0")
        try ip(node, "link set lo up")
        try ip(outside, "link set lo up")
        try ip(node, "link add uplink type veth peer name eth0 netns \(folder)/outside")
        try ip(node, "link set uplink up")
        try ip(outside, "link set eth0 up")
        for v6 in [false, true] {
            let bits = v6 ? 64 : 24
            try ip(node, "addr add \(EdgeNode.address(1, v6: v6, network: 8))/\(bits) dev uplink")
            try ip(outside, "addr add \(EdgeNode.address(2, v6: v6, network: 8))/\(bits) dev eth0")
            try ip(outside, "-\(v6 ? 6 : 4) route add default via \(EdgeNode.address(1, v6: v6, network: 8))")
            try ip(node, "-\(v6 ? 6 : 4) route add default via \(EdgeNode.address(2, v6: v6, network: 8))")
        }
    }

    /// Lets the plugin connect a new pod.
    private func add(_ name: String) throws {
        let pod = try NetworkNamespace.create(at: "\(folder)/\(name)")
        pods[name] = pod
        try ip(pod, "link set lo up")
        try set(pod, "ipv6/conf/default/accept_dad", "0")
        let addresses = [false, true].map { v6 in
            """
            {"address": "\(address(name, v6: v6))/\(v6 ? 64 : 24)", "gateway": "\(EdgeNode.address(1, v6: v6))"}
            """
        }
        let config = """
            {"cniVersion": "0.4.0", "name": "edge", "type": "\(topology.plugin)", "bridge": "cni0",
             "isGateway": true, "hairpinMode": true,
             "ipam": {"type": "static", "addresses": [\(addresses.joined(separator: ", "))],
                      "routes": [{"dst": "0.0.0.0/0"}, {"dst": "::/0"}]}}
            """
        let output = try run(
            node, ["\(EdgeNode.plugins)/\(topology.plugin)"], input: config,
            environment: [
                "CNI_COMMAND": "ADD", "CNI_CONTAINERID": name, "CNI_NETNS": pod.path, "CNI_IFNAME": "eth0",
                "CNI_PATH": EdgeNode.plugins,
            ])
        let result = try JSONDecoder().decode(PluginResult.self, from: Data(output.utf8))
        guard let veth = result.interfaces.first(where: { $0.name.hasPrefix("veth") && ($0.sandbox ?? "").isEmpty })
        else {
            throw PodNetworkError("no veth in \(output)")
        }
        links[name] = try node.run { if_nametoindex(veth.name) }
    }

    private struct PluginResult: Decodable {
        struct Interface: Decodable {
            var name: String
            var sandbox: String?
        }
        var interfaces: [Interface]
    }
}
