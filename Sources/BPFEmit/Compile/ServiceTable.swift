import NetTypes
import PolicyAPI
import PolicyIR

/// The frontends of a node's Services, patched Service by Service.
struct ServiceTable: Sendable {
    /// The Services and what their endpoints come from.
    var resolver: ServiceResolver
    /// Which of them the node translates.
    let settings: ServiceSettings
    /// The frontends that it translates, sorted, each address, port and protocol once.
    private(set) var frontends: [ServiceFrontend] = []
    /// Those that another component translates, or a cache of the node answers for: sorted, with all that may be chosen.
    private(set) var observed: [ServiceFrontend] = []
    /// What was found about addresses that several Services claim.
    private var conflicts: [Diagnostic] = []
    private var byService: [ServiceName: [ServiceFrontend]] = [:]
    /// The addresses of the node, as of the latest update.
    private var own: Set<IPAddress> = []

    init(_ resolver: ServiceResolver, _ settings: ServiceSettings) {
        self.resolver = resolver
        self.settings = settings
    }

    /// What was found about addresses that several Services claim, or for which there is no room.
    var diagnostics: [Diagnostic] { conflicts + (settings.mode == .off ? [] : resolver.diagnostics) }

    /// Whether `update` has something to do.
    var isStale: Bool { resolver.isStale }

    /// Brings the frontends up to date; `own` are the node's addresses, asked for only where `isStale`. Returns whether any is another one. O(frontends) if something was changed, and O(pods)
    /// if it was a Service whose endpoints are derived from them.
    mutating func update(_ pods: PodTable, own addresses: Set<IPAddress>) -> Bool {
        let (stale, namespaces) = resolver.takeStale()
        // Whatever changes a node's addresses makes every Service stale.
        if stale.isEmpty { return false }
        if !namespaces.isEmpty {
            resolver.set(
                pods: pods.pods.lazy.filter { namespaces.contains($0.metadata.namespace) })
        }
        var isOther = false
        for name in stale {
            let found = resolver.frontends(of: name)
            if byService[name] ?? [] == found { continue }
            byService[name] = found.isEmpty ? nil : found
            isOther = true
        }
        // Kept no longer than needed: they are the pod table's.
        resolver.set(pods: [])
        guard isOther || addresses != own else { return false }
        own = addresses
        let before = frontends
        let isBound = { (address: IPAddress) in addresses.contains(address) }
        let (all, found) = ServiceResolver.settle(byService.values.flatMap(\.self))
        conflicts = found
        frontends = all.filter { settings.translates($0, isBound: isBound) }
        observed = settledObserved(all, isBound: isBound)
        return frontends != before
    }

    private func settledObserved(
        _ all: [ServiceFrontend], isBound: (IPAddress) -> Bool
    ) -> [ServiceFrontend] {
        var found: [ServiceFrontend.Key: ServiceFrontend] = [:]
        var behind: [ServiceFrontend.Key: [ServiceBackend]] = [:]
        for var frontend in all where settings.observes(frontend, isBound: isBound) {
            if frontend.kind == .nodePort {
                let port = ServiceFrontend.Key(
                    address: IPAddress(high: 0, low: 0), port: frontend.port, protocol: frontend.protocol)
                let backends =
                    behind[port]
                    ?? ServiceResolver.behindNodePort(frontend, byService[frontend.service] ?? [])
                behind[port] = backends
                frontend.backends = backends
            }
            found[frontend.key] = frontend
        }
        // A cache has its ports whoever else claims them.
        for frontend in settings.listening(for: byService[settings.dns] ?? [], isBound: isBound) {
            found[frontend.key] = frontend
        }
        return found.values.sorted { $0.key < $1.key }
    }
}
