import NetTypes
import PolicyAPI

/// The endpoints of one port of a Service in one address family: those of all its EndpointSlices, each once.
struct PortEndpoints: Sendable {
    /// An endpoint with what decides whether it may be used.
    struct Endpoint: Sendable {
        var backend: ServiceBackend
        var isReady: Bool
        var isServing: Bool
        var isTerminating: Bool
        var nodeName: String
        var zoneHints: Set<String>
        var nodeHints: Set<String>

        /// Used where no endpoint is ready.
        var isFallback: Bool { isServing && isTerminating }
    }

    /// Sorted by backend.
    let endpoints: [Endpoint]

    /// "The same endpoint may be in several slices while it moves from one to the other": it counts once, and of contradicting
    /// statements the one that says most for it.
    init(_ found: [Endpoint]) {
        var byBackend: [ServiceBackend: Endpoint] = [:]
        for endpoint in found {
            guard let known = byBackend[endpoint.backend] else {
                byBackend[endpoint.backend] = endpoint
                continue
            }
            if PortEndpoints.rank(known) < PortEndpoints.rank(endpoint) { byBackend[endpoint.backend] = endpoint }
        }
        endpoints = byBackend.values.sorted { $0.backend < $1.backend }
    }

    private static func rank(_ endpoint: Endpoint) -> (Int, Int, String) {
        (
            endpoint.isReady ? 2 : endpoint.isFallback ? 1 : 0,
            endpoint.zoneHints.isEmpty && endpoint.nodeHints.isEmpty ? 0 : 1, endpoint.nodeName
        )
    }

    /// The endpoints that a node uses under traffic policy Cluster: "the ready ones; topology hints only if all of them have
    /// some and one has this node's or zone's; if none is ready, those that are serving and terminating".
    func cluster(node: String, zone: String) -> [ServiceBackend] {
        let ready = endpoints.filter(\.isReady)
        if ready.isEmpty { return endpoints.filter(\.isFallback).map(\.backend) }
        if ready.allSatisfy({ !$0.nodeHints.isEmpty }) {
            let near = ready.filter { $0.nodeHints.contains(node) }
            if !near.isEmpty { return near.map(\.backend) }
        }
        if ready.allSatisfy({ !$0.zoneHints.isEmpty }) {
            let near = ready.filter { $0.zoneHints.contains(zone) }
            if !near.isEmpty { return near.map(\.backend) }
        }
        return ready.map(\.backend)
    }

    /// Those that it uses under Local: "its own ready ones; if none is ready, its own that are serving and terminating".
    func local(node: String) -> [ServiceBackend] {
        let own = endpoints.filter { !node.isEmpty && $0.nodeName == node }
        let ready = own.filter(\.isReady)
        return (ready.isEmpty ? own.filter(\.isFallback) : ready).map(\.backend)
    }

    /// Those whose addresses the DNS name of a headless Service has.
    var published: [ServiceBackend] { endpoints.filter(\.isReady).map(\.backend) }
}
