import NetTypes
package import PolicyAPI

/// The addresses of Services for which a node's tables have no room, so that it does not translate them: those are left out that are in
/// the way (docs/decisions/0029). Policies then see the address itself.
public struct ServiceRoom: Sendable {
    /// The addresses of one kind of a Service: all of them have room, or none.
    package struct Part: Hashable, Comparable, Sendable {
        /// The Service.
        package var service: ServiceName
        /// What kind of addresses.
        package var kind: ServiceFrontend.Kind

        /// By Service, then by kind.
        package static func < (left: Part, right: Part) -> Bool {
            (left.service, ServiceRoom.rank(left.kind)) < (right.service, ServiceRoom.rank(right.kind))
        }
    }

    /// How much room there is.
    public struct Limits: Hashable, Sendable {
        /// Addresses. np_addresses holds 262,144 (`NP_MAX_ADDRESSES`): while one image takes another's place those of both are in it,
        /// and half of it is for pods and nodes.
        public var addresses: Int
        /// Addresses with port and protocol: half of np_services (`NP_MAX_SERVICES`); the other half is for ports of nodes.
        public var frontends: Int

        /// Room, by default as in the kernel's tables.
        public init(addresses: Int = 65_536, frontends: Int = 131_072) {
            self.addresses = addresses
            self.frontends = frontends
        }
    }

    private static let kinds: [ServiceFrontend.Kind] = [.externalIP, .loadBalancer, .clusterIP]

    private var addresses: RoomBudget<Part, IPAddress>
    private var frontends: RoomBudget<Part, ServiceFrontend.Key>
    /// What has no room.
    package private(set) var leftOut: Set<Part> = []

    /// Room that no Service has.
    package init(_ limits: Limits) {
        addresses = RoomBudget(limit: limits.addresses)
        frontends = RoomBudget(limit: limits.frontends)
    }

    /// Sets a Service; `nil`: there is none of the name. O(its addresses) at most, O(1) within the limits.
    package mutating func set(_ name: ServiceName, _ service: Service?) {
        for kind in ServiceRoom.kinds {
            let part = Part(service: name, kind: kind)
            let count = ServiceRoom.addresses(of: service, kind).count
            addresses.set(part, count: count, ServiceRoom.claim(part, ServiceRoom.addresses(of: service, kind)))
            let limit = frontends.limit
            frontends.set(
                part, count: count * (service?.ports.count ?? 0),
                ServiceRoom.claim(part, ServiceRoom.keys(of: service, kind, limit: limit)))
        }
    }

    /// Finds out what has no room. Returns the Services of which something has room now and had not, or the other way round.
    package mutating func settle(_ service: (ServiceName) -> Service?) -> Set<ServiceName> {
        let limit = frontends.limit
        let flipped =
            addresses.settle { ServiceRoom.claim($0, ServiceRoom.addresses(of: service($0.service), $0.kind)) }
            .union(
                frontends.settle {
                    ServiceRoom.claim($0, ServiceRoom.keys(of: service($0.service), $0.kind, limit: limit))
                })
        if !flipped.isEmpty { leftOut = addresses.leftOut.union(frontends.leftOut) }
        return Set(flipped.map(\.service))
    }

    /// Who wrote `externalIPs` gives way first: the other addresses are given by controllers.
    private static func rank(_ kind: ServiceFrontend.Kind) -> Int { kinds.firstIndex(of: kind) ?? kinds.count }

    private static func claim<Thing>(_ part: Part, _ things: [Thing]) -> ([Thing], String, Int?) {
        (things, part.service.namespace, rank(part.kind))
    }

    /// The addresses of a kind that nodes translate for pods.
    private static func addresses(of service: Service?, _ kind: ServiceFrontend.Kind) -> [IPAddress] {
        guard let service, service.isTranslated else { return [] }
        switch kind {
        case .clusterIP: return service.clusterIPs
        case .externalIP: return service.externalIPs
        case .loadBalancer: return service.hasSourceRanges ? [] : service.loadBalancerIPs
        case .nodePort, .nodeLocalDNS: return []
        }
    }

    /// The addresses of a kind with each port; of more than there is room for one more than that, which are as much without it.
    private static func keys(
        of service: Service?, _ kind: ServiceFrontend.Kind, limit: Int
    ) -> [ServiceFrontend.Key] {
        let ports = service?.ports ?? []
        var all = addresses(of: service, kind)
        let isTooMuch = all.count * ports.count > limit
        // A repeated one takes room once.
        if isTooMuch { all = Set(all).sorted() }
        var keys: [ServiceFrontend.Key] = []
        for address in all {
            for port in ports {
                if isTooMuch, keys.count > limit { return keys }
                keys.append(ServiceFrontend.Key(address: address, port: port.port, protocol: port.protocol))
            }
        }
        return keys
    }

    /// What is left out, `nil` for nothing.
    package var diagnostic: Diagnostic? {
        guard !leftOut.isEmpty else { return nil }
        let named = 8
        let parts = leftOut.sorted().map { part in
            let count = max(addresses.count(of: part), 1)
            return "\(count) \(part.kind.rawValue)\(count == 1 ? "" : "s") of \(part.service)"
        }
        let more = parts.count > named ? " and \(parts.count - named) more" : ""
        return Diagnostic(
            id: .servicesLeftOut, severity: .warning, location: nil,
            message:
                "no room for addresses of Services (\(parts.prefix(named).joined(separator: ", "))\(more)): all together may have "
                + "\(addresses.limit) addresses, and \(frontends.limit) with ports. Nodes do not translate these, and policies see "
                + "whoever else has the address, or the outside",
            hint: "remove external IPs and ports that nobody needs")
    }
}
