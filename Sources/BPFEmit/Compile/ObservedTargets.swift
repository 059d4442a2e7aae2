import NetTypes
import PolicyIR

/// What programs see of frontends that the node does not translate: an identity, and behind its ports the ends that may be
/// chosen. Pure: made from frontends and from who has which address.
struct ObservedTargets: Equatable {
    /// A backend as programs would see it.
    struct End: Hashable, Comparable {
        var identity: UInt32
        var port: UInt16

        static func < (left: End, right: End) -> Bool {
            left.identity == right.identity ? left.port < right.port : left.identity < right.identity
        }
    }

    /// A port of a target.
    struct Row: Hashable {
        var `protocol`: L4Protocol
        var port: UInt16
        /// Sorted, each once; none: nothing may be chosen.
        var ends: [End]
        var service: ServiceName
    }

    /// An identity with the Services behind its ports.
    struct Target: Hashable {
        /// What programs know it by.
        var identity: UInt32
        /// Who has the address: what every other port is. The same as `identity` for nodes.
        var base: UInt32
        /// Sorted by protocol and port, each pair once.
        var rows: [Row]
    }

    /// What is known of an address.
    enum Owner: Equatable {
        /// A node, by its identity.
        case node(UInt32)
        /// Nobody in the cluster: the identity of the outside there.
        case outside(UInt32)
        /// A pod, or several claim it.
        case taken
    }

    /// By identity.
    private(set) var targets: [UInt32: Target] = [:]
    /// The addresses that have an identity because they are a Service's.
    private(set) var addresses: [IPAddress: UInt32] = [:]
    /// The texts of those identities.
    private(set) var texts: [UInt32: String] = [:]
    /// Frontends whose address is a pod's, or whose owner is not known: policies see that.
    private(set) var leftOut: [ServiceFrontend.Key] = []

    /// No targets.
    init() {}

    /// The targets of frontends, sorted by key.
    ///
    /// - Parameters:
    ///   - frontends: those that are not translated, each key once; node ports with all that may be chosen behind them.
    ///   - owner: who has the address of a frontend.
    ///   - ends: the identities that a backend's address has; several where the node answers beside others.
    ///   - number: gives an identity its number, by its text.
    init(
        _ frontends: [ServiceFrontend], owner: (IPAddress) -> Owner, ends: (IPAddress) -> [UInt32],
        number: (String, IdentityScope) -> UInt32
    ) {
        var known: [IPAddress: [UInt32]] = [:]
        func row(_ frontend: ServiceFrontend) -> Row {
            var found: Set<End> = []
            for backend in frontend.backends {
                let identities = known[backend.address] ?? ends(backend.address)
                known[backend.address] = identities
                for identity in identities { found.insert(End(identity: identity, port: backend.port)) }
            }
            return Row(
                protocol: frontend.protocol, port: frontend.port, ends: found.sorted(), service: frontend.service)
        }
        var shared: [UInt32: [ServiceFrontend.Key: Row]] = [:]
        var start = frontends.startIndex
        while start < frontends.endIndex {
            let address = frontends[start].address
            let end = frontends[start...].firstIndex { $0.address != address } ?? frontends.endIndex
            let here = frontends[start..<end]
            start = end
            switch owner(address) {
            case .taken:
                leftOut += here.map(\.key)
            case .node(let base) where here.allSatisfy({ $0.kind == .nodePort }):
                // The ports of nodes are those of all nodes, so their identities stay as they are.
                for frontend in here {
                    let port = ServiceFrontend.Key(
                        address: IPAddress(high: 0, low: 0), port: frontend.port, protocol: frontend.protocol)
                    if shared[base]?[port] == nil { shared[base, default: [:]][port] = row(frontend) }
                }
            case .node(let base), .outside(let base):
                let scope = ObservedTargets.scope(of: base)
                let text =
                    "service \(address)" + (scope == .outside ? "" : " on \(scope == .host ? "this" : "another") node")
                let identity = number(text, scope)
                // No number left: the address stays what it is, and a condition says so.
                if identity == ReservedIdentity.unknown.rawValue {
                    leftOut += here.map(\.key)
                    continue
                }
                addresses[address] = identity
                texts[identity] = text
                targets[identity] = Target(identity: identity, base: base, rows: here.map(row).sorted(by: Row.precedes))
            }
        }
        for (base, rows) in shared {
            targets[base] = Target(identity: base, base: base, rows: rows.values.sorted(by: Row.precedes))
        }
    }

    /// Identities of a Service's address are numbered as those of whoever has it: the datapath knows its host by that.
    private static func scope(of base: UInt32) -> IdentityScope {
        if let scope = IdentityScope(of: base), scope != .pod { return scope }
        switch ReservedIdentity(rawValue: base) {
        case .host: return .host
        case .remoteNode: return .node
        case .unknown, .world, .unmanaged, .health, .initial, .kubeAPIServer, .ingress, .worldIPv4, .worldIPv6, nil:
            return .outside
        }
    }
}

extension ObservedTargets.Row {
    fileprivate static func precedes(_ left: Self, _ right: Self) -> Bool {
        left.protocol == right.protocol ? left.port < right.port : left.protocol < right.protocol
    }
}
