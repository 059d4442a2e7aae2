import PolicyAPI
import PolicyIR

/// The frontends of a node's Services, patched Service by Service.
struct ServiceTable: Sendable {
    /// The Services and what their endpoints come from.
    var resolver: ServiceResolver
    /// All frontends, sorted, each address, port and protocol once.
    private(set) var frontends: [ServiceFrontend] = []
    /// What was found about addresses that several Services claim.
    private(set) var conflicts: [Diagnostic] = []
    private var byService: [ServiceName: [ServiceFrontend]] = [:]

    init(_ resolver: ServiceResolver) { self.resolver = resolver }

    /// Brings the frontends up to date. Returns whether any is another one. O(frontends) if something was changed, and O(pods)
    /// if it was a Service whose endpoints are derived from them.
    mutating func update(_ pods: PodTable) -> Bool {
        let (stale, namespaces) = resolver.takeStale()
        if stale.isEmpty { return false }
        if !namespaces.isEmpty {
            resolver.set(
                pods: pods.entries.lazy.compactMap { $0?.pod }.filter { namespaces.contains($0.metadata.namespace) })
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
        guard isOther else { return false }
        let before = frontends
        (frontends, conflicts) = ServiceResolver.settle(byService.values.flatMap(\.self))
        return frontends != before
    }
}
