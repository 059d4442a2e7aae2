import Datapath
import Glibc
import NetTypes

/// A lab's plan in terms of the datapath: what to build, what to serve, what to send.
struct LabProbing {
    static let node = "@node"
    static let outside = "@outside"

    private static let retries = 2

    let plan: LabPlan

    /// The network to build.
    var layout: NetworkLayout {
        NetworkLayout(
            nodeAddresses: plan.nodeAddresses,
            attachments: plan.pods.map {
                .init(name: $0.attachment, nodeInterface: $0.nodeInterface, addresses: $0.ipAddresses)
            })
    }

    /// Every port of every end.
    var served: [LabState.Served] {
        servedEndpoints
            + plan.ends.flatMap { end in
                plan.addresses(of: end).flatMap { address in
                    plan.traffic.filter { $0 != .echo }.map { traffic in
                        LabState.Served(
                            place: place(end), name: plan.name(of: end), address: address.description,
                            isTCP: traffic.protocol == .tcp, port: traffic.port)
                    }
                }
            }
    }

    /// The ports of endpoints that nothing else of the plan names.
    private var servedEndpoints: [LabState.Served] {
        var found: Set<LabState.Served> = []
        for frontend in plan.frontends.map(\.frontend) {
            for backend in frontend.backends where !plan.traffic.contains(LabTraffic(frontend.protocol, backend.port)) {
                for end in plan.ends where plan.addresses(of: end).contains(backend.address) {
                    found.insert(
                        LabState.Served(
                            place: place(end), name: plan.name(of: end), address: backend.address.description,
                            isTCP: frontend.protocol == .tcp, port: backend.port))
                }
            }
        }
        return Array(found)
    }

    /// Probes of the plan's connections through Services, in order.
    func serviceProbes(_ network: RoutedNetwork) throws -> [Probe] {
        try plan.serviceFlows.map { flow in
            let frontend = plan.frontends[flow.to].frontend
            return Probe(
                namespace: try LabProbing.namespace(place(.pod(flow.from)), network), source: flow.source,
                destination: frontend.address, protocol: frontend.protocol, port: frontend.port,
                retries: flow.prediction.isAnswered ? LabProbing.retries : 0)
        }
    }

    /// What the outcomes of those mean: whichever endpoint answers is somebody else.
    static func serviceMeasurements(_ outcomes: [ProbeOutcome]) -> [LabMeasurement] {
        outcomes.map { outcome in
            switch outcome {
            case .answered(let name): .answeredByOther(name)
            case .refused: .refused
            case .unreachable(let code): .unreachable(code.description)
            case .silent: .silent
            }
        }
    }

    /// Probes of the plan's flows, in order. Silence is asked twice more where an answer is predicted: a busy machine may
    /// lose a packet, but no packet gets through a drop by chance.
    func probes(_ network: RoutedNetwork) throws -> [Probe] {
        try plan.flows.map { flow in
            Probe(
                namespace: try LabProbing.namespace(place(flow.from), network), source: flow.source,
                destination: flow.destination, protocol: flow.traffic.wireProtocol(isIPv4: flow.family == 4),
                port: flow.traffic.port, retries: flow.prediction.passes ? LabProbing.retries : 0)
        }
    }

    /// The same probes, asking again whatever is silent.
    static func patient(_ probes: [Probe]) -> [Probe] {
        probes.map { probe in
            var probe = probe
            probe.retries = LabProbing.retries
            return probe
        }
    }

    /// What the outcomes of the probes mean for the plan.
    func measurements(_ outcomes: [ProbeOutcome]) -> [LabMeasurement] {
        zip(plan.flows, outcomes).map { flow, outcome in
            switch outcome {
            case .answered(let name):
                let expected = flow.traffic == .echo ? "" : plan.name(of: flow.to)
                return name == expected ? .answered : .answeredByOther(name)
            case .refused: return .refused
            case .unreachable(let code): return .unreachable(code.description)
            case .silent: return .silent
            }
        }
    }

    private func place(_ end: LabEnd) -> String {
        switch end {
        case .pod(let index): plan.pods[index].attachment
        case .node: LabProbing.node
        case .outside: LabProbing.outside
        }
    }

    /// The namespace of a place.
    static func namespace(_ place: String, _ network: RoutedNetwork) throws -> NetworkNamespace {
        switch place {
        case node: return network.node
        case outside: return network.outside
        default:
            guard let pod = network.pods[place] else { throw LabFailure.environment("no namespace for \(place)") }
            return pod
        }
    }

    /// Opens the ports of a lab.
    static func respond(
        _ served: [LabState.Served], in network: RoutedNetwork, loop: EventLoop
    ) throws -> [Responder] {
        struct Server: Hashable {
            var place: String
            var name: String
        }
        let servers = Dictionary(grouping: served) { Server(place: $0.place, name: $0.name) }
        return try servers.sorted { ($0.key.place, $0.key.name) < ($1.key.place, $1.key.name) }.map { server, ports in
            try Responder(
                name: server.name, in: try namespace(server.place, network),
                ports: ports.compactMap { port in
                    IPAddress(parsing: port.address).map {
                        .init(address: $0, protocol: port.isTCP ? .tcp : .udp, port: port.port)
                    }
                }, loop: loop)
        }
    }
}
