public import BPFEmit
import CNetpoldABI
public import NetTypes

/// What the datapath does with a request in a flow that it does not deny.
public enum RequestAnswer: Hashable, Sendable {
    /// It passes; `enum np_reason`.
    case passed(reason: UInt8)
    /// It does not pass; `enum np_reason`.
    case denied(reason: UInt8)
    /// The proxy decides, by these bits of the L7 word of the policy with this base.
    case proxied(base: UInt32, rules: UInt64)
}

/// Requests: packets that follow the first one of a flow, or have something in it.
extension KernelDecider {
    private static let push: UInt8 = 0x18
    private static let synAck: UInt8 = 0x12

    /// What becomes of a flow's first bytes: over TCP after its SYN, over UDP in its first datagram.
    ///
    /// - Parameters:
    ///   - bytes: what the client says: a query, a ClientHello, a request; at most what fits into one packet.
    ///   - pod: whose hook is asked.
    ///   - direction: `egress`: the pod is the client.
    ///   - remote: the other end.
    ///   - isForwarded: as for `decide`.
    ///   - protocol: TCP or UDP.
    ///   - port: destination port.
    /// - Returns: what becomes of them, or that the proxy decides.
    /// - Throws: as `decide`.
    public func say(
        _ bytes: [UInt8], _ pod: EndpointKey, _ direction: Direction, remote: IPAddress, isForwarded: Bool = false,
        protocol: L4Protocol, port: UInt16
    ) throws(BPFError) -> RequestAnswer {
        let conversation = try converse(pod, direction, remote, isForwarded, `protocol`, port)
        var packet = conversation.opening
        if `protocol` == .tcp {
            let opened = try conversation.send(packet)
            switch opened.verdict {
            case .allow, .allowRead: break
            case .deny: return .denied(reason: opened.reason)
            case .l7:
                guard let side = try node.maps.proxiedSide(packet, direction) else {
                    return .denied(reason: opened.reason)
                }
                return .proxied(base: side.base, rules: side.rules)
            }
            let answered = try answer(packet, pod, direction)
            packet.tcpFlags = Self.push
            packet.sequence = 2
            packet.acknowledgement = answered
        }
        packet.payload = bytes
        let answer = try conversation.send(packet)
        switch answer.verdict {
        case .allow, .allowRead: return .passed(reason: answer.reason)
        case .deny, .l7: return .denied(reason: answer.reason)
        }
    }

    /// The server answers to a SYN, at the pod's other hook: what a client says before that is not read. Returns what the client acknowledges.
    private func answer(_ opening: FlowPacket, _ pod: EndpointKey, _ direction: Direction) throws(BPFError) -> UInt32 {
        var back = FlowPacket(
            source: opening.destination, destination: opening.source, protocol: .tcp,
            sourcePort: opening.destinationPort, destinationPort: opening.sourcePort)
        back.tcpFlags = Self.synAck
        back.acknowledgement = opening.sequence + 1
        let endpoint = try endpoint(pod)
        let answer = PodConversation(
            decider: self, program: direction == .egress ? endpoint.ingressStub : endpoint.egressStub,
            ingressInterface: 0, opening: back)
        _ = try answer.send(back)
        return back.sequence + 1
    }

    /// One exchange of a pod with a resolver, over UDP: the query, and if that passes its answer, which the datapath learns from.
    ///
    /// - Returns: whether the query passed.
    /// - Throws: as `decide`.
    public func exchange(
        _ pod: EndpointKey, resolver: IPAddress, port: UInt16, query: [UInt8], answer: [UInt8]
    ) throws(BPFError) -> Bool {
        let conversation = try converse(pod, .egress, resolver, false, .udp, port)
        var packet = conversation.opening
        packet.payload = query
        guard try conversation.send(packet).verdict == .allow else { return false }
        var back = FlowPacket(
            source: resolver, destination: packet.source, protocol: .udp, sourcePort: port,
            destinationPort: packet.sourcePort)
        back.payload = answer
        let arrival = PodConversation(
            decider: self, program: try endpoint(pod).ingressStub, ingressInterface: 0, opening: back)
        return try arrival.send(back).verdict == .allow
    }
}

extension KernelDecider {
    /// What the first 64 bits of the loaded policies stand for, among them all with L7 rules; by base.
    public var policyBits: [UInt32: ArraySlice<RuleBit>] {
        var found: [UInt32: ArraySlice<RuleBit>] = [:]
        for subject in node.subjects.values {
            for policy in [subject.ingress, subject.egress] {
                if let hits = policy.hits { found[hits.base] = policy.image.bits.prefix(64) }
            }
        }
        return found
    }
}

extension DatapathMaps {
    /// What the policy of one end has said of a flow that the proxy is to carry; `nil` when the flow is none.
    func proxiedSide(_ opening: FlowPacket, _ direction: Direction) throws(BPFError) -> np_proxied_side? {
        var key = np_proxied_key()
        withUnsafeMutableBytes(of: &key.client) { $0.copyBytes(from: opening.source.bytes) }
        withUnsafeMutableBytes(of: &key.server) { $0.copyBytes(from: opening.destination.bytes) }
        key.client_port = opening.sourcePort.bigEndian
        key.server_port = opening.destinationPort.bigEndian
        key.side = direction == .egress ? UInt32(NP_EGRESS.rawValue) : UInt32(NP_INGRESS.rawValue)
        return try all.first { $0.name == "np_proxied" }?.value(of: key, initial: np_proxied_side())
    }
}
