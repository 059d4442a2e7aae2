import Datapath
import Glibc
import NetTypes
import PolicyIR

/// A lab's plan in terms of the datapath: what to build, what to serve, what to send.
struct LabProbing {
    static let nodes = (0..<LabNode.limit).map { "@node\($0 == 0 ? "" : "-\($0 + 1)")" }
    static let outside = "@outside"

    private static let retries = 2

    let plan: LabPlan

    /// The network to build.
    var layout: NetworkLayout {
        NetworkLayout(
            nodes: plan.nodes.map(\.ipAddresses),
            attachments: plan.pods.map {
                .init(
                    name: $0.attachment, nodeInterface: $0.nodeInterface, addresses: $0.ipAddresses, node: $0.node)
            })
    }

    /// Every port of every end.
    var served: [LabState.Served] {
        servedEndpoints + servedNames
            + plan.ends.flatMap { end in
                plan.addresses(of: end).flatMap { address in
                    plan.traffic.filter { $0 != .echo }.map { traffic in
                        LabState.Served(
                            place: place(end), name: plan.name(of: end), address: address.description,
                            isTCP: traffic.protocol == .tcp, port: traffic.port, waits: waits(traffic))
                    }
                }
            }
    }

    /// The names' addresses, on every TCP port.
    private var servedNames: [LabState.Served] {
        plan.names.flatMap { name in
            name.addresses.flatMap { address in
                plan.traffic.filter { $0.protocol == .tcp }.map { traffic in
                    LabState.Served(
                        place: LabProbing.outside, name: name.name, address: address.description, isTCP: true,
                        port: traffic.port, waits: waits(traffic))
                }
            }
        }
    }

    /// What DNS queries are answered with.
    var zone: [String: [String]] {
        Dictionary(plan.names.map { ($0.name, $0.addresses.map(\.description)) }) { first, _ in first }
    }

    private func waits(_ traffic: LabTraffic) -> Bool {
        traffic.protocol == .tcp && plan.waitingPorts.contains(traffic.port)
    }

    /// Asks who is there.
    private func greeting(_ traffic: LabTraffic) -> ProbeRequest { waits(traffic) ? .spokenGreeting : .greeting }

    /// The ports of endpoints that nothing else of the plan names.
    private var servedEndpoints: [LabState.Served] {
        var found: Set<LabState.Served> = []
        for frontend in plan.frontends.map(\.frontend) {
            for backend in frontend.backends where !plan.traffic.contains(LabTraffic(frontend.protocol, backend.port)) {
                for end in plan.ends where plan.addresses(of: end).contains(backend.address) {
                    found.insert(
                        LabState.Served(
                            place: place(end), name: plan.name(of: end), address: backend.address.description,
                            isTCP: frontend.protocol == .tcp, port: backend.port,
                            waits: waits(LabTraffic(frontend.protocol, backend.port))))
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
                retries: flow.prediction.isAnswered ? LabProbing.retries : 0, request: greeting(atEndpoint: frontend))
        }
    }

    /// Asks who is there through a Service: as its endpoints' servers expect it.
    private func greeting(atEndpoint frontend: ServiceFrontend) -> ProbeRequest {
        greeting(LabTraffic(frontend.protocol, frontend.backends.first?.port ?? frontend.port))
    }

    /// The plan's attempts that need no translation.
    var directFlows: [LabRequestFlow] {
        plan.requestFlows.filter { if case .frontend = $0.to { false } else { true } }
    }

    /// Probes of attempts, in order.
    func requestProbes(_ network: RoutedNetwork, of flows: [LabRequestFlow]) throws -> [Probe] {
        try flows.map { flow in
            let retries = flow.prediction == .dropped ? 0 : LabProbing.retries
            let namespace = try LabProbing.namespace(place(flow.from), network)
            var probe = Probe(
                namespace: namespace, source: flow.source, destination: flow.destination,
                protocol: flow.traffic.protocol, port: flow.traffic.port, retries: retries)
            switch flow.attempt {
            case .request(let request): probe.request = .request(request)
            case .connect: probe.request = greeting(flow.traffic)
            case .lookUp(let name, let traffic):
                probe.request = .request(.dns(name))
                let request = greeting(traffic)
                probe.follow = { addresses in
                    addresses.first { $0.isIPv4 == flow.source.isIPv4 }.map { address in
                        Probe(
                            namespace: namespace, source: flow.source, destination: address,
                            protocol: traffic.protocol, port: traffic.port, retries: 0, request: request)
                    }
                }
            }
            return probe
        }
    }

    /// What the outcomes of those mean.
    func requestMeasurements(_ outcomes: [ProbeOutcome], of flows: [LabRequestFlow]) -> [LabMeasurement] {
        zip(flows, outcomes).map { flow, outcome in
            let measurement = LabProbing.measurement(outcome, expecting: plan.answering(flow))
            guard case .resolved(let addresses) = outcome else { return measurement }
            if case .request(.dns(let name)) = flow.attempt {
                let known = plan.names.first { $0.name == name }?.addresses ?? []
                let expected = known.filter { $0.isIPv4 == flow.source.isIPv4 }
                if addresses == expected { return .answered }
            }
            return .answeredByOther("DNS with \(addresses.map(\.description).joined(separator: ", "))")
        }
    }

    /// What an outcome means where one of these should answer.
    private static func measurement(_ outcome: ProbeOutcome, expecting names: Set<String>) -> LabMeasurement {
        switch outcome {
        case .answered(let name): names.contains(name) ? .answered : .answeredByOther(name)
        case .resolved, .truncated: .answeredByOther("DNS")
        case .denied(let how): .denied(how)
        case .refused: .refused
        case .unreachable(let code): .unreachable(code.description)
        case .silent: .silent
        }
    }

    /// What the outcomes of those mean: whichever endpoint answers is somebody else.
    static func serviceMeasurements(_ outcomes: [ProbeOutcome]) -> [LabMeasurement] {
        outcomes.map { outcome in
            switch outcome {
            case .answered(let name): .answeredByOther(name)
            case .resolved, .denied, .truncated, .refused, .unreachable, .silent: measurement(outcome, expecting: [])
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
                port: flow.traffic.port, retries: flow.prediction.passes ? LabProbing.retries : 0,
                request: greeting(flow.traffic))
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
            LabProbing.measurement(outcome, expecting: [flow.traffic == .echo ? "" : plan.name(of: flow.to)])
        }
    }

    private func place(_ end: LabEnd) -> String {
        switch end {
        case .pod(let index): plan.pods[index].attachment
        case .node(let index): LabProbing.nodes[index]
        case .outside: LabProbing.outside
        }
    }

    /// The namespace of a place.
    static func namespace(_ place: String, _ network: RoutedNetwork) throws -> NetworkNamespace {
        if place == outside { return network.outside }
        for (name, node) in zip(nodes, network.nodes) where name == place { return node }
        guard let pod = network.pods[place] else { throw LabFailure.environment("no namespace for \(place)") }
        return pod
    }

    /// Opens the ports of a lab.
    static func respond(
        _ served: [LabState.Served], names: [String: [String]] = [:], in network: RoutedNetwork, loop: EventLoop
    ) throws -> [Responder] {
        let zone = names.mapValues { $0.compactMap { IPAddress(parsing: $0) } }
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
                        .init(
                            address: $0, protocol: port.isTCP ? .tcp : .udp, port: port.port, waits: port.waits == true)
                    }
                }, loop: loop, names: zone)
        }
    }
}
