import NetTypes
import PolicyAPI

/// Single addresses outside the cluster that something else than a prefix tells apart: DNS answers and API servers.
struct LearntAddresses {
    /// The selectors that an address was learnt by, sorted by text.
    var selectors: [IPAddress: [FQDNSelector]] = [:]
    /// Addresses of the API server, wherever they are.
    let apiServers: Set<IPAddress>

    init(_ objects: ClusterObjects, selectors wanted: [FQDNSelector]) {
        // The service `default/kubernetes` is the API server.
        apiServers = Set(
            objects.endpointSlices.lazy
                .filter { $0.metadata.namespace == "default" && $0.serviceName == "kubernetes" }
                .flatMap(\.addresses))
        var found: [IPAddress: Set<FQDNSelector>] = [:]
        for selector in wanted {
            let pattern = NamePattern(selector)
            for (name, addresses) in objects.names where pattern.matches(name) {
                for address in addresses { found[address, default: []].insert(selector) }
            }
        }
        selectors = found.mapValues { $0.sorted { $0.identityText < $1.identityText } }
    }

    /// All of them.
    var addresses: Set<IPAddress> { apiServers.union(selectors.keys) }
}

extension FQDNSelector {
    /// A text that no other selector has.
    var identityText: String {
        switch self {
        case .name(let name): "name:\(name)"
        case .pattern(let pattern): "pattern:\(pattern)"
        }
    }
}
