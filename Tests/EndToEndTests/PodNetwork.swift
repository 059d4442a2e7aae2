import BPFEmit
import Datapath
import Foundation
import Glibc
import LabKit
import NetTypes
import PolicyAPI
import PolicyIR

/// Pods as network namespaces with veths to a node namespace, built for one test and taken away with it. Policies are
/// compiled and applied in-process.
final class PodNetwork {
    let folder: String
    let routed: RoutedNetwork
    private let cluster: String
    private let pods: [Pod]
    private var datapath: NodeDatapath?
    private var makeDatapath: () throws -> NodeDatapath
    /// What the latest `apply` has decided about flows past the node's stack.
    private(set) var fastPath: FastPathReport?
    private var allocator = IdentityAllocator()

    /// Builds the pods of a manifest (YAML text).
    init(_ cluster: String, tag: String, fastPath: FastPathMode = .off) throws {
        self.cluster = cluster
        makeDatapath = {
            var options = DatapathOptions(pins: nil)
            options.fastPath = fastPath
            return try NodeDatapath(options)
        }
        folder = "/run/netpold/test-\(getpid())-\(tag)"
        pods = try PodNetwork.decode(cluster).pods
        mkdir("/run/netpold", 0o755)
        guard mkdir(folder, 0o700) == 0 else { throw PodNetworkError("mkdir \(folder): \(errno)") }
        let attachments = pods.enumerated().map { index, pod in
            NetworkLayout.Attachment(
                name: pod.metadata.name, nodeInterface: "np\(index)", addresses: pod.addresses)
        }
        do {
            routed = try RoutedNetwork.build(
                NetworkLayout(nodeAddresses: [IPAddress(ipv4: 0x0af4_00fe)], attachments: attachments), in: folder)
        } catch {
            try? RoutedNetwork.remove(folder: folder)
            throw error
        }
    }

    deinit {
        if let datapath { try? routed.node.run { try datapath.detach() } }
        try? RoutedNetwork.remove(folder: folder)
    }

    /// The path that stands for the node's namespace.
    var nodePath: String { NetworkLayout.nodePath(in: folder) }

    /// The folder in which the pods' namespaces are mounted.
    var podsFolder: String { NetworkLayout.podsFolder(in: folder) }

    /// A pod's namespace.
    func namespace(_ pod: String) throws -> NetworkNamespace {
        guard let namespace = routed.pods[pod] else { throw PodNetworkError("no pod \(pod)") }
        return namespace
    }

    /// A pod's first address.
    func address(_ pod: String) throws -> IPAddress {
        guard let address = pods.first(where: { $0.metadata.name == pod })?.addresses.first else {
            throw PodNetworkError("no address of \(pod)")
        }
        return address
    }

    /// Compiles policies (YAML text) with the cluster and puts them in force; returns when they are.
    func apply(_ policies: String) throws {
        let objects = try PodNetwork.decode(cluster + "\n---\n" + policies)
        let lowered = PolicyLowering.lower(objects)
        let image = NodeCompiler.compile(objects, policies: lowered.policies, allocator: &allocator)
        try routed.node.run {
            let datapath = try self.datapath ?? makeDatapath()
            self.datapath = datapath
            var links: [EndpointKey: [UInt32]] = [:]
            for (index, pod) in pods.enumerated() {
                let key = EndpointKey(namespace: pod.metadata.namespace, name: pod.metadata.name, uid: pod.metadata.uid)
                links[key] = [if_nametoindex("np\(index)")]
            }
            let report = try datapath.apply(image, links: links)
            for endpoint in report.endpoints {
                if let failure = endpoint.failure { throw PodNetworkError(failure) }
            }
            fastPath = try datapath.refreshFastPath()
        }
    }

    /// Lets go of what enforces, as a process does that is killed; the next `apply` goes on with what `make` makes, in the
    /// node's namespace.
    func restart(_ make: @escaping () throws -> NodeDatapath) {
        datapath = nil
        makeDatapath = make
    }

    /// Forgets flows that are over and gives pods with many larger regions, as an agent does every ten seconds.
    func collect() throws {
        guard let datapath else { return }
        try routed.node.run { while try !datapath.collectConntrack().isComplete {} }
    }

    /// Packets so far by `enum np_reason`.
    func packetsByReason() throws -> [UInt8: UInt64] {
        guard let datapath else { return [:] }
        return try datapath.packetsByReason().mapValues(\.packets)
    }

    /// Packets so far by what decided them.
    func packetsByRule() throws -> [RuleHitKey: UInt64] { try datapath?.packetsByRule() ?? [:] }

    /// IPv4 packets that the node's stack has forwarded so far.
    func forwarded() throws -> Int {
        let text = try routed.node.run { try String(contentsOfFile: "/proc/thread-self/net/snmp", encoding: .utf8) }
        let lines = text.split(separator: "\n").filter { $0.hasPrefix("Ip: ") }.map { $0.split(separator: " ") }
        guard lines.count == 2, let column = lines[0].firstIndex(of: "ForwDatagrams"), let count = Int(lines[1][column])
        else { throw PodNetworkError("no counters of the node") }
        return count
    }

    /// Runs a program in the node's namespace.
    func onNode(_ command: String) throws {
        let status = try routed.node.run {
            let process = Process()
            process.executableURL = URL(filePath: "/bin/sh")
            process.arguments = ["-c", command]
            try process.run()
            process.waitUntilExit()
            return process.terminationStatus
        }
        guard status == 0 else { throw PodNetworkError("\(command): \(status)") }
    }

    private static func decode(_ text: String) throws -> ClusterObjects {
        var decoder = ManifestDecoder()
        decoder.add(Array(text.utf8), file: "test.yaml")
        let decoded = decoder.finish()
        guard !decoded.hasErrors else { throw PodNetworkError("\(decoded.diagnostics)") }
        return decoded.objects
    }
}

/// Something the test set up did not work.
struct PodNetworkError: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
