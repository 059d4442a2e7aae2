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
        /// Of connections to a Service's address with so many backends, to which they are translated.
        case service(backends: Int)
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
        /// One end with 1,024 ports.
        case fewPorts
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
    /// The most that a packet should cost above the reference, ns.
    public var limit: Int

    /// What a case is compared with, in the same run.
    public enum Reference: String, CaseIterable, Sendable {
        /// The same packets through the datapath's parser alone.
        case parse
        /// As many established flows through the datapath straight to an end, no Service's.
        case straight
    }

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
        PacketBenchCase(.bothDirections, .ingress, .new, .ports, limit: 330),
        PacketBenchCase(.bothDirections, .ingress, .new, .ends(500), limit: 330),
        PacketBenchCase(.bothDirections, .ingress, .deniedSYN, .one, limit: 60),
        PacketBenchCase(.bothDirections, .ingress, .deniedSYN, .ports, limit: 70),
        PacketBenchCase(.bothDirections, .ingress, .deniedSYN, .ends(5_000), limit: 120),
        PacketBenchCase(.bothDirections, .ingress, .deniedUDP, .one, limit: 300),
        PacketBenchCase(.bothDirections, .ingress, .deniedUDP, .ports, limit: 300),
        PacketBenchCase(.bothDirections, .egress, .service(backends: 1), .one, limit: 15),
        PacketBenchCase(.bothDirections, .egress, .service(backends: 1), .fewPorts, limit: 15),
        PacketBenchCase(
            .bothDirections, .egress, .service(backends: PacketBenchServices.backends), .fewPorts, limit: 15),
    ]

    /// What its limit is about.
    public var reference: Reference {
        switch packets {
        case .established, .new, .deniedSYN, .deniedUDP: .parse
        case .service: .straight
        }
    }

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
        case (.fewPorts, .service(1)): "\(PacketBenchServices.flows) flows, 1 backend"
        case (.fewPorts, .service(let backends)): "\(PacketBenchServices.flows) flows, \(backends) backends"
        case (.fewPorts, _): "\(PacketBenchServices.flows) ports"
        case (.one, .service(let backends)): "1 flow, \(backends) backend\(backends == 1 ? "" : "s")"
        case (.ports, .service(let backends)): "64k flows, \(backends) backends"
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
