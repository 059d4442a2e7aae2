public import NetTypes

/// How a node treats its pods' packets to Services.
public struct ServiceSettings: Hashable, Sendable {
    /// The address that NodeLocal DNSCache listens at unless it is told otherwise.
    public static let usualListener = IPAddress(ipv4: 0xa9fe_140a)

    /// Who translates.
    public var mode: ServiceMode
    /// Where a DNS cache of the node listens. Where the node has one of these addresses, it stands for the DNS Service's
    /// endpoints.
    public var listeners: Set<IPAddress>
    /// The DNS Service.
    public var dns: ServiceName
    /// How many addresses of Services there is room for.
    public var room = ServiceRoom.Limits()

    /// Settings.
    public init(
        mode: ServiceMode, listeners: Set<IPAddress> = [usualListener],
        dns: ServiceName = ServiceName(namespace: "kube-system", name: "kube-dns")
    ) {
        self.mode = mode
        self.listeners = listeners
        self.dns = dns
    }

    /// Whether packets of the node's pods reach a frontend as they are, and policies are asked about all of its backends.
    /// `isBound` says whether the node itself has an address.
    public func observes(_ frontend: ServiceFrontend, isBound: (IPAddress) -> Bool) -> Bool {
        if mode == .observe || frontend.kind == .nodeLocalDNS { return true }
        // "The cache listens at the Service's own address too": no packet to it needs translation, or gets one.
        return isCached(frontend) && isBound(frontend.address)
    }

    /// Whether the node translates a frontend.
    public func translates(_ frontend: ServiceFrontend, isBound: (IPAddress) -> Bool) -> Bool {
        mode == .translate && !observes(frontend, isBound: isBound)
    }

    /// The frontends that a DNS cache of the node adds to those of the DNS Service: its ports at each listener.
    public func listening(for frontends: [ServiceFrontend], isBound: (IPAddress) -> Bool) -> [ServiceFrontend] {
        var found: Set<ServiceFrontend> = []
        for frontend in frontends where isCached(frontend) {
            for listener in listeners
            where listener.isIPv4 == frontend.address.isIPv4 && listener != frontend.address && isBound(listener) {
                var copy = frontend
                copy.address = listener
                copy.kind = .nodeLocalDNS
                copy.affinitySeconds = 0
                found.insert(copy)
            }
        }
        return found.sorted { $0.key < $1.key }
    }

    /// Whether a cache may answer there in place of the DNS Service.
    private func isCached(_ frontend: ServiceFrontend) -> Bool {
        frontend.kind == .clusterIP && frontend.service == dns && frontend.port == 53
    }
}
