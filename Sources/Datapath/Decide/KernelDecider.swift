public import BPFEmit
import CNetpoldABI
import Glibc
public import NetTypes
import SystemPackage

/// Decides flows with the loaded programs: what would happen to the first packet of a flow at a pod's hook, asked of the
/// kernel by `BPF_PROG_TEST_RUN`.
///
/// Uses maps of its own that nothing else sees, so any number of them work side by side, beside an agent too. Nothing is
/// attached. Every question is about a fresh flow.
public final class KernelDecider {
    /// Size of the private instance's flow table. Flows that nobody has answered make room for others: no fresh flow is refused.
    private static let flowSets = 4096
    /// Drops that say that only L7 rules match: they are decided elsewhere, or by a packet that has a request.
    private static let l7Reasons: Set = [
        NP_DROP_L7_UNAVAILABLE.rawValue, NP_DROP_NOT_PROXIED.rawValue, NP_DROP_DNS_QUERY.rawValue,
    ]
    /// Drops that may be answered in place of whom the packet was for.
    private static let refusals: Set = [
        NP_DROP_NAME_DENIED.rawValue, NP_DROP_DNS_QUERY.rawValue, NP_DROP_SERVER_NAME.rawValue, NP_DROP_HELLO.rawValue,
        NP_DROP_NOT_PROXIED.rawValue,
    ]
    /// Not that of the test run, by which a pod's own packets would come back; nothing has it.
    private static let someInterface = UInt32(Int32.max)
    private static let proxyInterface = UInt32(Int32.max) - 1
    private static let firstSourcePort: UInt16 = 1024
    let node: NodeDatapath
    private var nextSourcePort = firstSourcePort
    /// Packets by reason, as of the latest answers.
    private var countedSoFar: [UInt32: UInt64] = [:]
    /// The reason of the latest packet that passed, and of the latest that did not: looked at first.
    private var latestReason: [Bool: UInt32] = [:]
    /// Packets since all counters were compared.
    private var sinceComparison: UInt64 = 0
    private static let packetsBetweenComparisons: UInt64 = 1024

    /// Loads the programs, with no pods yet: `update` brings an image.
    public init() throws(BPFError) {
        var options = DatapathOptions(pins: nil, attachment: .none, flowSets: Self.flowSets)
        // No flow does here; but a kernel that refuses the programs of a node on which flows do is found out.
        options.fastPath = .always
        node = try NodeDatapath(options)
        // There is a place for the proxy, in which nobody listens: so what the proxy would be told is written down.
        try node.maps.proxy?.way.set(
            UInt32(0), np_proxy(interface: Self.proxyInterface, mac: (0, 0, 0, 0, 0, 0), pad: (0, 0)))
    }

    /// Loads an image: every pod of it is taken for one of this node.
    public convenience init(_ image: NodeImage) throws(BPFError) {
        try self.init()
        try put(image)
        countedSoFar = try countByReason()
    }

    /// Goes on with another image, as an agent would.
    public func update(_ image: NodeImage) throws(BPFError) {
        try put(image)
        // Every flow begins with the packet that is asked about: none is in the middle of one that was revoked.
        try node.forgetPolicyChanges()
    }

    private func put(_ image: NodeImage) throws(BPFError) {
        // Images number their columns from 1, each for itself.
        try node.forgetLearnt(Set(node.endpoints.values.map(\.slot)))
        _ = try node.apply(image, links: [:])
        for subject in image.subjects { if let refusal = node.refusal(of: subject.key) { throw refusal } }
        for pod in node.endpoints.keys { try learn(image.answers, pod) }
    }

    /// A pod has learnt addresses of names, which never expire.
    public func learn(_ answers: [String: [IPAddress]], _ pod: EndpointKey) throws(BPFError) {
        try node.learn(
            pod,
            answers.sorted { $0.key < $1.key }.map { name, addresses in
                LearntName(name: name, addresses: Dictionary(addresses.map { ($0, .max - 1) }) { first, _ in first })
            })
    }

    /// Whether the kernel has the pod.
    public func knows(_ pod: EndpointKey) -> Bool { node.endpoints[pod] != nil }

    /// What a pod's policy of one direction says about the first packet of a flow.
    ///
    /// - Parameters:
    ///   - pod: whose policy is asked.
    ///   - direction: `egress`: the pod sends to `remote`; `ingress`: it receives from there.
    ///   - remote: the other end.
    ///   - isForwarded: whether the packet came in from elsewhere: then an address of the node stands for somebody unknown.
    ///   - protocol: of the flow.
    ///   - port: destination port, or ICMP type.
    /// - Returns: the verdict, and the reason under which the kernel counted the packet.
    /// - Throws: `ENOENT` for a pod the image does not have, `EAFNOSUPPORT` when it has no address of the remote's family,
    ///   `EPROTO` when what the program returned and what it counted do not fit together.
    public func decide(
        _ pod: EndpointKey, _ direction: Direction, remote: IPAddress, isForwarded: Bool = false,
        protocol: L4Protocol, port: UInt16
    ) throws(BPFError) -> PacketAnswer {
        let conversation = try converse(pod, direction, remote, isForwarded, `protocol`, port)
        return try conversation.send(conversation.opening)
    }

    /// What the node's own policy of one direction says about the first packet of a flow.
    ///
    /// - Parameters:
    ///   - own: an address of the node, of the remote's family.
    ///   - direction: `egress`: the node sends to `remote`; `ingress`: it receives from there.
    ///   - remote: the other end.
    ///   - protocol: of the flow.
    ///   - port: destination port, or ICMP type.
    /// - Returns: the verdict, and the reason under which the kernel counted the packet.
    /// - Throws: `ENOENT` for an image without the node's policies; else as `decide` for a pod.
    public func decideHost(
        own: IPAddress, _ direction: Direction, remote: IPAddress, protocol: L4Protocol, port: UInt16
    ) throws(BPFError) -> PacketAnswer {
        let endpoint = try endpoint(.host)
        let packet = FlowPacket(
            source: direction == .egress ? own : remote, destination: direction == .egress ? remote : own,
            protocol: `protocol`, sourcePort: try freshSourcePort(for: `protocol`), destinationPort: port)
        var run = TestRun(frame: packet.frame)
        run.ingressIfindex = direction == .egress ? 0 : Self.someInterface
        // Pods' hooks would ask the node's policies too, about their own packets.
        var host = np_host()
        host.mode = NP_HOST_ENFORCE.rawValue
        host.slot = endpoint.slot
        try node.maps.host?.set(UInt32(0), host)
        // What an uplink receives comes in where a pod's packets do.
        let program = direction == .egress ? endpoint.ingressStub : endpoint.egressStub
        let answer: Result<PacketAnswer, BPFError>
        do throws(BPFError) {
            answer = .success(try self.answer(returned: try run.run(program).returned))
        } catch {
            answer = .failure(error)
        }
        try node.maps.host?.set(UInt32(0), np_host())
        return try answer.get()
    }

    /// The packets of one flow at a pod's hook.
    struct PodConversation {
        let decider: KernelDecider
        let program: BPFProgram
        /// `skb->ingress_ifindex`.
        let ingressInterface: UInt32
        /// The packet that opens it.
        let opening: FlowPacket

        /// What the datapath does with a packet of it.
        func send(_ packet: FlowPacket) throws(BPFError) -> PacketAnswer {
            var run = TestRun(frame: packet.frame)
            run.ingressIfindex = ingressInterface
            return try decider.answer(returned: try run.run(program).returned)
        }
    }

    /// A flow that nobody has seen yet.
    func converse(
        _ pod: EndpointKey, _ direction: Direction, _ remote: IPAddress, _ isForwarded: Bool, _ protocol: L4Protocol,
        _ port: UInt16
    ) throws(BPFError) -> PodConversation {
        let endpoint = try endpoint(pod)
        guard let own = endpoint.value.addresses.first(where: { $0.isIPv4 == remote.isIPv4 }) else {
            throw BPFError(
                .runProgram, "\(pod)", errno: .addressFamilyNotSupported,
                detail: "it has no address to reach \(remote) by")
        }
        let packet = FlowPacket(
            source: direction == .egress ? own : remote, destination: direction == .egress ? remote : own,
            protocol: `protocol`, sourcePort: try freshSourcePort(for: `protocol`), destinationPort: port)
        return PodConversation(
            decider: self, program: direction == .egress ? endpoint.egressStub : endpoint.ingressStub,
            ingressInterface: isForwarded ? Self.someInterface : 0, opening: packet)
    }

    func endpoint(_ pod: EndpointKey) throws(BPFError) -> LoadedEndpoint {
        guard let endpoint = node.endpoints[pod] else {
            throw BPFError(.runProgram, "\(pod)", errno: .noSuchFileOrDirectory, detail: "no such pod in the image")
        }
        return endpoint
    }

    /// Flows are distinguished by their source port; those without ports only by forgetting the ones before.
    private func freshSourcePort(for protocol: L4Protocol) throws(BPFError) -> UInt16 {
        if nextSourcePort == .max || !(`protocol`.hasPorts || `protocol`.isICMP) {
            try node.maps.forgetFlows()
            nextSourcePort = Self.firstSourcePort
        }
        defer { nextSourcePort += 1 }
        return nextSourcePort
    }

    /// The reason is the one counter that moved. That of the latest packet with the same outcome is looked at first, as reading one
    /// is ten times as fast as reading all; now and then all are compared with the number of packets.
    func answer(returned: Int32) throws(BPFError) -> PacketAnswer {
        let passed = returned != Int32(NP_ACTION_SHOT.rawValue)
        sinceComparison += 1
        var moved: [UInt32] = []
        if let likely = latestReason[passed], try count(of: likely) == countedSoFar[likely, default: 0] + 1 {
            moved = [likely]
            countedSoFar[likely, default: 0] += 1
            if sinceComparison == Self.packetsBetweenComparisons, try countByReason() != countedSoFar {
                throw BPFError(
                    .runProgram, "np_reasons", errno: .protocolError,
                    detail: "one of \(sinceComparison) packets was counted twice")
            }
        } else {
            let counts = try countByReason()
            moved = counts.filter { $0.value != countedSoFar[$0.key, default: 0] }.map(\.key)
            countedSoFar = counts
        }
        if sinceComparison == Self.packetsBetweenComparisons { sinceComparison = 0 }
        guard moved.count == 1, let reason = UInt8(exactly: moved[0]) else {
            throw BPFError(
                .runProgram, "np_reasons", errno: .protocolError,
                detail: "one packet was counted under \(moved.count) reasons")
        }
        latestReason[passed] = moved[0]
        // What is refused comes back to who has sent it.
        let isRefusal = passed && Self.refusals.contains(UInt32(reason))
        guard passed != VerdictReason.isDrop(wire: reason) || isRefusal else {
            throw BPFError(
                .runProgram, "the entry program", errno: .protocolError,
                detail: "returned \(returned) for reason \(reason)")
        }
        if Self.l7Reasons.contains(UInt32(reason)) { return PacketAnswer(verdict: .l7, reason: reason) }
        return PacketAnswer(verdict: passed && !isRefusal ? .allow : .deny, reason: reason)
    }

    private func count(of reason: UInt32) throws(BPFError) -> UInt64 {
        try node.maps.reasons.perCPUValues(of: reason, value: np_counter()).reduce(0) { $0 &+ $1.packets }
    }

    private func countByReason() throws(BPFError) -> [UInt32: UInt64] {
        var counts: [UInt32: UInt64] = [:]
        for (reason, values) in try node.maps.reasons.perCPUEntries(value: np_counter()) {
            let packets = values.reduce(0) { $0 &+ $1.packets }
            if packets > 0 { counts[reason] = packets }
        }
        return counts
    }
}

extension DatapathMaps {
    /// Empties the flow table, of which no program may be running.
    package func forgetFlows() throws(BPFError) { try flows.mapped().clear() }

    /// Writes frontends with their backends and tables, nothing of which programs have read before.
    package func write(services change: ServiceTables.Change) throws(BPFError) { try services?.write(change) }
}
