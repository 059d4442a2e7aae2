import BPFEmit
import CNetpoldABI
import Foundation
import Glibc
import LabKit
import NetTypes
import NetpoldTestSupport

@testable import Datapath

/// Two pods on the wire, client and web, with sockets in them; web is isolated both ways and lets client in on UDP port 80.
/// The test runs in the node's namespace, with a bpffs of its own.
final class UpgradeNetwork {
    /// A version of the programs.
    struct Version {
        var number: Int
        /// `nil` for the one in this binary.
        var object: [UInt8]?

        static let own = Version(number: Int(NP_ABI_VERSION), object: nil)
        init(number: Int, object: [UInt8]?) {
            self.number = number
            self.object = object
        }
        init(_ second: SecondVersion) { self.init(number: second.number, object: second.object) }
    }

    private static let clientKey = EndpointKey(namespace: "shop", name: "client")
    private static let clientPort: UInt16 = 4000
    private static let proberPort: UInt16 = 4001

    let root: String
    let style: AttachmentStyle
    let interfaces: [EndpointKey: UInt32]
    private let client: Int32
    private let prober: Int32
    private let allowed: Int32
    private let denied: Int32

    private init(
        root: String, style: AttachmentStyle, interfaces: [EndpointKey: UInt32], _ network: RoutedNetwork
    ) throws {
        self.root = root
        self.style = style
        self.interfaces = interfaces
        let clientPod = network.pods["client"]
        let web = network.pods["web"]
        client = try Self.socket(in: clientPod, NodeImages.client, Self.clientPort)
        prober = try Self.socket(in: clientPod, NodeImages.client, Self.proberPort)
        allowed = try Self.socket(in: web, NodeImages.web, 80)
        denied = try Self.socket(in: web, NodeImages.web, 81)
    }

    deinit { for descriptor in [client, prober, allowed, denied] { close(descriptor) } }

    /// Runs a test in the node's namespace of a new network.
    static func with(_ style: AttachmentStyle, _ body: @escaping (UpgradeNetwork) throws -> Void) throws {
        try NodeNetwork.with { network, pins, interfaces in
            try body(UpgradeNetwork(root: pins.root, style: style, interfaces: interfaces, network))
        }
    }

    // MARK: the datapath

    func pins(_ version: Version) throws -> PinPath {
        try PinPath(instance: "test", root: root, version: version.number)
    }

    /// Starts a version, as an agent does.
    func open(_ version: Version) throws -> NodeDatapath {
        var options = DatapathOptions(pins: try pins(version), attachment: style, flowSets: 1024)
        options.object = version.object
        return try NodeDatapath(options)
    }

    /// Starts a version and brings its policies in force.
    @discardableResult
    func run(_ version: Version) throws -> (node: NodeDatapath, report: ApplyReport) {
        let node = try open(version)
        return (node, try apply(node))
    }

    @discardableResult
    func apply(_ node: NodeDatapath) throws -> ApplyReport {
        let report = try node.apply(try Self.image(), interfaces: interfaces)
        for endpoint in report.endpoints {
            if let failure = endpoint.failure {
                throw BPFError(.attach, "\(endpoint.key)", errno: .ioError, detail: failure)
            }
        }
        return report
    }

    static func image() throws -> NodeImage {
        let ingress = try NodeImages.policy(
            .ingress, [NodeImages.bit(0, port: 80, protocol: .udp)], peers: [NodeImages.clientID: 1])
        let egress = try NodeImages.policy(.egress, [], peers: [:])
        return try NodeImages.node(
            subjects: [
                NodeImages.subject("client", ingress: NodeImages.open(.ingress)),
                NodeImages.subject(ingress: ingress, egress: egress),
            ],
            endpoints: [
                NodeImages.endpoint("client", NodeImages.client, subject: "client", identity: NodeImages.clientID),
                NodeImages.endpoint("web", NodeImages.web),
            ])
    }

    var hooks: [Hook] { interfaces.values.sorted().flatMap(Hook.both(of:)) }

    /// How many programs judge the packets of a hook.
    func programs(at hook: Hook) throws -> Int {
        let filters = try NetlinkSocket().filters(of: hook.ifindex, hook.side)
        return try Libbpf.chain(ifindex: hook.ifindex, hook.side).count + filters.count
    }

    /// The folders of versions that have pins.
    func versions() throws -> [String] { try Libbpf.names(in: "\(root)/netpold/test") }

    // MARK: packets

    /// The client sends its one packet of the flow that is idle from then on; whether it arrived.
    func beginIdleFlow() -> Bool {
        drain()
        send(client, to: NodeImages.web, 80)
        return receive(allowed, within: 1000)
    }

    /// Whether a packet of the client, of another flow, reaches web's port 80; none of those to port 81 may.
    func policyIsInForce() throws -> Bool {
        drain()
        send(prober, to: NodeImages.web, 81)
        send(prober, to: NodeImages.web, 80)
        let arrived = receive(allowed, within: 1000)
        guard !receive(denied, within: 0) else { throw UpgradeFailure("a packet to the denied port got through") }
        return arrived
    }

    /// Whether web may speak first on the flow that the client began long ago; what begins a flow of its own may not.
    func webAnswersFirst() throws -> Bool {
        drain()
        send(denied, to: NodeImages.client, Self.clientPort)
        send(allowed, to: NodeImages.client, Self.clientPort)
        guard receive(client, within: 300) else { return false }
        guard !receive(client, within: 0) else { throw UpgradeFailure("an isolated pod began a flow") }
        return true
    }

    private func drain() { for socket in [client, prober, allowed, denied] { while receive(socket, within: 0) {} } }

    private func send(_ socket: Int32, to address: IPAddress, _ port: UInt16) {
        var target = Self.address(address, port)
        withUnsafePointer(to: &target) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                _ = sendto(socket, [1], 1, Int32(MSG_NOSIGNAL), $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }

    private func receive(_ socket: Int32, within milliseconds: Int32) -> Bool {
        var wanted = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
        guard poll(&wanted, 1, milliseconds) == 1 else { return false }
        var byte: UInt8 = 0
        return recv(socket, &byte, 1, Int32(MSG_DONTWAIT)) == 1
    }

    private static func socket(
        in namespace: NetworkNamespace?, _ address: IPAddress, _ port: UInt16
    ) throws -> Int32 {
        guard let namespace else { throw UpgradeFailure("no such pod") }
        let descriptor = try namespace.run { Glibc.socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0) }
        var own = Self.address(address, port)
        let status = withUnsafePointer(to: &own) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard descriptor >= 0, status == 0 else { throw UpgradeFailure("bind \(port): \(errno)") }
        return descriptor
    }

    private static func address(_ address: IPAddress, _ port: UInt16) -> sockaddr_in {
        var result = sockaddr_in()
        result.sin_family = sa_family_t(AF_INET)
        result.sin_port = port.bigEndian
        result.sin_addr.s_addr = (address.ipv4 ?? 0).bigEndian
        return result
    }
}

/// What must not happen, happened.
struct UpgradeFailure: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
