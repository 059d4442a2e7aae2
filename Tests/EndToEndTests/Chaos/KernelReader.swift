import BPFEmit
import CNetpoldABI
import Glibc
import NetTypes
import PolicyAPI
import PolicyIR

@testable import Datapath

/// Reads what the kernel decides without the agent's own books: from the programs at the interfaces, by packets, and from the
/// pinned tables.
struct KernelReader {
    private let network: ChaosNetwork
    private let pins: PinPath
    /// Apart from the agent.
    private let decider: KernelDecider
    /// No interface of the node's namespace.
    private static let elsewhere: UInt32 = 99_999
    private static let outside = [0xc0a8_0101, 0x0808_0808].map { IPAddress(ipv4: $0) }

    init(_ network: ChaosNetwork, instance: String) throws {
        self.network = network
        pins = try PinPath(instance: instance)
        decider = try KernelDecider()
    }

    /// What a compile from scratch gives.
    struct Scratch {
        fileprivate let image: NodeImage
        /// Of remote pods.
        fileprivate let others: [IPAddress]
    }

    /// Compiles objects from scratch and loads the outcome, in place of the one before.
    func scratch(of objects: ClusterObjects) throws -> Scratch {
        let lowered = PolicyLowering.lower(objects, for: .enforcement)
        var allocator = IdentityAllocator()
        let image = NodeCompiler.compile(
            objects, policies: lowered.policies, localNode: "node-1", allocator: &allocator)
        let local = Set(network.pods.map(\.address))
        let others = objects.pods.flatMap(\.addresses).filter { !local.contains($0) }
        try decider.update(image)
        return Scratch(image: image, others: others)
    }

    /// Where the kernel is otherwise than a compile from scratch; empty when it is not.
    func differences(from scratch: Scratch) throws -> [String] {
        try network.node.run {
            try tableDifferences(scratch.image) + decisionDifferences(scratch)
        }
    }

    /// Pods have the same identity exactly where a compile from scratch gives them the same.
    private func tableDifferences(_ image: NodeImage) throws -> [String] {
        guard let pin = try Libbpf.openPin(pins.folder + "/np_addresses") else { return ["np_addresses is not pinned"] }
        let map = try BPFMap(pin, name: "np_addresses")
        let entries = try map.entries(key: np_address(), value: UInt32(0))
        // Without the marks of Services' backends, which the datapath adds to an image.
        let kernel = Dictionary(
            uniqueKeysWithValues: entries.map {
                let entry = AddressEntry(address: $0.key.ipAddress, identity: $0.value)
                return (entry.address, entry.unmarkedIdentity)
            })
        let wanted = Dictionary(uniqueKeysWithValues: image.addresses.map { ($0.address, $0.unmarkedIdentity) })
        var differences: [String] = []
        for pod in network.pods where kernel[pod.address] == nil { differences.append("\(pod.name) has no identity") }
        for (one, other) in network.pods.flatMap({ one in network.pods.map { (one, $0) } }) {
            let isSame = kernel[one.address] == kernel[other.address]
            let shouldBe = wanted[one.address] == wanted[other.address]
            if isSame != shouldBe { differences.append("\(one.name) and \(other.name): same identity \(isSame)") }
        }
        return differences
    }

    private func decisionDifferences(_ scratch: Scratch) throws -> [String] {
        var differences: [String] = []
        let links = try NetlinkSocket().links()
        var arrivals: [IPAddress: UInt32] = [:]
        for pod in network.pods { arrivals[pod.address] = try hostSide(of: pod.name, links) }
        for endpoint in scratch.image.endpoints {
            guard let address = endpoint.addresses.first,
                let link = try hostSide(of: endpoint.name, links)
            else {
                differences.append("\(endpoint.name): no link")
                continue
            }
            for direction in Direction.allCases {
                let side: TCXDirection = direction == .egress ? .ingress : .egress
                guard let id = try Libbpf.chain(ifindex: link, side).first else {
                    differences.append("\(endpoint.name) \(direction): nothing is attached")
                    continue
                }
                let program = try BPFProgram(try Libbpf.program(id: id), name: "\(endpoint.name) \(direction)")
                for remote in network.pods.map(\.address) + scratch.others + Self.outside where remote != address {
                    for port in ChaosPolicies.ports + [9002] {
                        let expected = try decider.decide(
                            endpoint.key, direction, remote: remote, protocol: .udp, port: port)
                        let packet = FlowPacket(
                            source: direction == .egress ? address : remote,
                            destination: direction == .egress ? remote : address, protocol: .udp,
                            sourcePort: UInt16.random(in: 20000...60000), destinationPort: port)
                        var run = TestRun(frame: packet.frame)
                        // Pods' packets come in by their own links, others by no pod's.
                        run.ifindex = link
                        run.ingressIfindex = direction == .egress ? link : arrivals[remote] ?? Self.elsewhere
                        let passed = try run.run(program).returned != NP_ACTION_SHOT.rawValue
                        if passed != (expected.verdict == .allow) {
                            differences.append(
                                "\(endpoint.name) \(direction) \(remote) \(port): passed \(passed), expected \(expected)"
                            )
                        }
                    }
                }
            }
        }
        return differences
    }

    /// The number of the interface on the node's side of a pod's eth0: by the kernel's own word.
    private func hostSide(of pod: String, _ links: [LinkRecord]) throws -> UInt32? {
        let peer = try network.namespace(pod).run { try NetlinkSocket().link(named: "eth0").peerIndex }
        return links.first { $0.index == peer }.map { UInt32($0.index) }
    }
}
