import NetTypes
import NetpoldTestSupport
import PolicyAPI
import PolicyIR

/// What kube-proxy means, in the simplest words, for the flows of one pod: a flow to a Service goes to one of the Service's
/// endpoints and stays there; what comes back comes from the Service. Plus what netpold adds: policy is asked about the endpoint.
///
/// It does not choose: it says which choices are right, and remembers the one that was made.
struct ServiceModel {
    /// An address with a port.
    struct End: Hashable {
        var address: IPAddress
        var port: UInt16
    }

    /// A flow as the pod knows it.
    struct Flow: Hashable {
        var `protocol`: L4Protocol
        var port: UInt16
        /// What the pod talks to: a Service, an endpoint, or anything.
        var to: End
    }

    /// What is known of a flow that goes somewhere else than it seems, or straight to an endpoint.
    struct Life {
        var backend: End
        /// The pod's port, as the backend sees it.
        var portBeyond: UInt16
        var finished: Set<Direction> = []
        var isOver: Bool { finished.count == 2 }
    }

    /// What must become of a packet from the pod.
    enum Fate: Equatable {
        /// It is for nobody but its destination.
        case plain
        /// To one of these, with its port there if that is known.
        case translated(Set<End>, port: UInt16?)
        /// The sender is told that there is nobody.
        case refused
    }

    /// What Services there are, by address, port and protocol.
    private(set) var frontends: [ServiceFrontend.Key: ServiceFrontend] = [:]
    /// Endpoints that there were.
    private var ends: Set<Straight> = []
    /// Flows that were let through.
    private(set) var lives: [Flow: Life] = [:]
    /// Where a client that is to stay was sent last, by what stays together.
    private var affinities: [String: End] = [:]

    /// Other Services, from now on. What is remembered of clients of Services that are gone is forgotten.
    mutating func set(_ frontends: [ServiceFrontend]) {
        self.frontends = Dictionary(frontends.map { ($0.key, $0) }) { first, _ in first }
        for frontend in frontends {
            for end in frontend.ends { ends.insert(Straight(protocol: frontend.protocol, end: end)) }
        }
    }

    private struct Straight: Hashable {
        var `protocol`: L4Protocol
        var end: End
    }

    /// Whether a flow goes straight to what is or was an endpoint of some Service, so that it is remembered.
    func isStraight(_ flow: Flow) -> Bool {
        frontend(flow) == nil && ends.contains(Straight(protocol: flow.protocol, end: flow.to))
    }

    private func frontend(_ flow: Flow) -> ServiceFrontend? {
        frontends[.init(address: flow.to.address, port: flow.to.port, protocol: flow.protocol)]
    }

    /// What must become of a packet of a flow; `opens`: of a new connection.
    func fate(_ flow: Flow, opens: Bool) -> Fate {
        let life = lives[flow]
        let stays = flow.protocol != .udp && !opens
        if let life, !life.isOver, stays { return .translated([life.backend], port: life.portBeyond) }
        guard let service = frontend(flow) else {
            if isStraight(flow) || life.map({ $0.backend == flow.to }) == true {
                return .translated([flow.to], port: life.flatMap { $0.isOver ? nil : $0.portBeyond })
            }
            return .plain
        }
        let ends = service.ends
        if ends.isEmpty { return .refused }
        if let life, ends.contains(life.backend) {
            return .translated([life.backend], port: life.isOver ? nil : life.portBeyond)
        }
        if service.affinitySeconds > 0, let last = affinities[group(service)], ends.contains(last) {
            return .translated([last], port: nil)
        }
        return .translated(ends, port: nil)
    }

    private func group(_ service: ServiceFrontend) -> String {
        "\(service.service)/\(service.portName)/\(service.protocol)/\(service.address.isIPv4)/\(service.kind)"
    }

    /// A flow was let through to a backend, with that port of the pod there.
    mutating func admit(_ flow: Flow, to backend: End, port: UInt16, opens: Bool) {
        let known = lives[flow]
        if let service = frontend(flow), service.affinitySeconds > 0, known?.backend != backend {
            affinities[group(service)] = backend
        }
        var life = known ?? Life(backend: backend, portBeyond: port)
        if opens { life.finished = [] }
        life.backend = backend
        life.portBeyond = port
        lives[flow] = life
    }

    /// The flow goes elsewhere by now.
    mutating func forget(_ flow: Flow) { lives[flow] = nil }

    /// A FIN of a flow went by.
    mutating func finish(_ flow: Flow, _ direction: Direction) { lives[flow]?.finished.insert(direction) }

    /// Another flow that is going on with the same ends beyond; there must be none.
    func rival(of flow: Flow, at backend: End, port: UInt16) -> Flow? {
        lives.first { other, life in
            other != flow && !life.isOver && other.protocol == flow.protocol && life.backend == backend
                && life.portBeyond == port
        }?.key
    }
}

extension ServiceFrontend {
    /// Its endpoints.
    fileprivate var ends: Set<ServiceModel.End> { Set(backends.map { .init(address: $0.address, port: $0.port) }) }
}
