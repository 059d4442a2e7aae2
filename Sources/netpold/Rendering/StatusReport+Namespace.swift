import Agent

extension StatusReport {
    /// What concerns one namespace: its policies and pods are counted, and problems of other namespaces' are left out. A problem that
    /// is not plainly another namespace's stays: a file that cannot be read may hold policies of any.
    ///
    /// - Parameters:
    ///   - namespace: the namespace.
    ///   - policies: all of the node.
    ///   - endpoints: all of the node.
    /// - Returns: the report, of the same form.
    func of(namespace: String, policies: [PolicyReport], endpoints: [EndpointReport]) -> StatusReport {
        let own = policies.filter { $0.namespace == namespace }
        let ownEndpoints = endpoints.filter { Listing.namespace(of: $0.name) == namespace }
        let foreign = Set(
            policies.filter { $0.namespace != nil && $0.namespace != namespace }.map(\.text)
                + endpoints.map(\.name).filter { name in
                    Listing.namespace(of: name).map { $0 != namespace } ?? false
                })
        var report = self
        report.policiesInForce = own.count { [.inForce, .pending, .lastGood, .kept].contains($0.state) }
        report.policiesRefused = own.count { [.lastGood, .isolated, .ignored].contains($0.state) }
        report.endpointsReady = ownEndpoints.count { [.ready, .orphan].contains($0.state) }
        report.endpointsWaiting = ownEndpoints.count - report.endpointsReady
        report.health.problems.removeAll { foreign.contains($0.subject) }
        report.conditions.removeAll { foreign.contains($0.subject) }
        return report
    }
}
