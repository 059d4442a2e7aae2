import BPFEmit
public import NetTypes

/// One thing that the packet bench measures: packets of a kind at a hook of a pod, and the most that they should cost.
public struct PacketBenchCase: Hashable, Sendable {
    /// Which policies select the pod.
    public enum Policies: String, CaseIterable, Sendable {
        /// Of ingress: everything the pod sends is allowed.
        case ingressOnly
        /// Of both directions.
        case bothDirections
    }

    /// What the packets are.
    public enum Packets: Hashable, Sendable {
        /// Of connections that have been answered.
        case established
        /// Of connections to a Service's address, which are translated: one to its only backend, or 1,024 over its many.
        case service
        /// Each opens a connection that policy allows and nobody has seen before.
        case new
        /// Each opens a connection that policy denies.
        case deniedSYN
        /// UDP that policy denies, unless it should be the answer to a datagram of the pod. None is.
        case deniedUDP
    }

    /// The other ends, and their ports. Flows are visited in an order that no prefetcher predicts.
    public enum Spread: Hashable, Sendable {
        /// One packet, again and again: everything is in the CPU's caches.
        case one
        /// One end with 65,536 ports.
        case ports
        /// So many ends, each with many ports.
        case ends(Int)
    }

    /// The policies of the pod.
    public var policies: Policies
    /// `ingress`: packets to the pod.
    public var direction: Direction
    /// The packets.
    public var packets: Packets
    /// Their other ends.
    public var spread: Spread
    /// The most that a packet should cost above the parser, ns.
    public var limit: Int

    /// A case.
    public init(
        _ policies: Policies, _ direction: Direction, _ packets: Packets, _ spread: Spread, limit: Int
    ) {
        self.policies = policies
        self.direction = direction
        self.packets = packets
        self.spread = spread
        self.limit = limit
    }

    /// All cases, in the order they are printed.
    public static let all: [PacketBenchCase] = [
        PacketBenchCase(.ingressOnly, .ingress, .established, .one, limit: 40),
        PacketBenchCase(.ingressOnly, .egress, .established, .one, limit: 40),
        PacketBenchCase(.ingressOnly, .ingress, .established, .ports, limit: 60),
        PacketBenchCase(.ingressOnly, .egress, .established, .ports, limit: 60),
        PacketBenchCase(.ingressOnly, .ingress, .new, .ports, limit: 80),
        PacketBenchCase(.ingressOnly, .ingress, .new, .ends(500), limit: 80),
        PacketBenchCase(.ingressOnly, .egress, .new, .ends(500), limit: 330),
        PacketBenchCase(.bothDirections, .ingress, .established, .one, limit: 60),
        PacketBenchCase(.bothDirections, .egress, .established, .one, limit: 60),
        PacketBenchCase(.bothDirections, .ingress, .established, .ports, limit: 250),
        PacketBenchCase(.bothDirections, .egress, .established, .ports, limit: 250),
        // 15 more than without a Service, however many backends it has.
        PacketBenchCase(.bothDirections, .egress, .service, .one, limit: 75),
        PacketBenchCase(.bothDirections, .egress, .service, .ends(PacketBenchServices.backends), limit: 75),
        PacketBenchCase(.bothDirections, .ingress, .new, .ports, limit: 330),
        PacketBenchCase(.bothDirections, .ingress, .new, .ends(500), limit: 330),
        PacketBenchCase(.bothDirections, .ingress, .deniedSYN, .one, limit: 60),
        PacketBenchCase(.bothDirections, .ingress, .deniedSYN, .ports, limit: 70),
        PacketBenchCase(.bothDirections, .ingress, .deniedSYN, .ends(5_000), limit: 120),
        PacketBenchCase(.bothDirections, .ingress, .deniedUDP, .one, limit: 300),
        PacketBenchCase(.bothDirections, .ingress, .deniedUDP, .ports, limit: 300),
    ]

    /// Whether policy lets them pass.
    var passes: Bool {
        switch packets {
        case .established, .service, .new: true
        case .deniedSYN, .deniedUDP: false
        }
    }
}

extension PacketBenchCase: CustomStringConvertible {
    /// `both directions: established to the pod, 64k flows`
    public var description: String { "\(policies): \(name)" }

    /// What it does, without the policies.
    public var name: String { "\(packets.text) \(direction == .ingress ? "to" : "from") the pod, \(scope)" }

    private var scope: String {
        switch (spread, packets) {
        case (.one, .service): "1 flow, 1 backend"
        case (.ports, .service): "64k flows"
        case (.ends(let count), .service): "\(PacketBenchServices.flows) flows, \(count) backends"
        case (.one, .established): "1 flow"
        case (.one, .new), (.one, .deniedSYN), (.one, .deniedUDP): "1 packet"
        case (.ports, .established): "64k flows"
        case (.ports, .new): "1 sender"
        case (.ports, .deniedSYN), (.ports, .deniedUDP): "64k ports"
        case (.ends(let count), _): "\(count) \(direction == .ingress ? "senders" : "receivers")"
        }
    }
}

extension PacketBenchCase.Policies: CustomStringConvertible {
    /// `policies of ingress only`
    public var description: String {
        switch self {
        case .ingressOnly: "policies of ingress only"
        case .bothDirections: "default deny in both directions"
        }
    }
}

extension PacketBenchCase.Packets {
    fileprivate var text: String {
        switch self {
        case .established: "established"
        case .service: "established through a Service,"
        case .new: "new"
        case .deniedSYN: "denied SYN"
        case .deniedUDP: "denied UDP that may be an answer"
        }
    }
}
