import Algorithms
import NetTypes
import PolicyAPI

/// The addresses of pods, nodes and Services in order, to find one that is inside a prefix.
struct AddressOwners {
    /// The owner of an address.
    struct Owner {
        var address: IPAddress
        /// For example `pod shop/web`.
        var name: String
        /// How to select it.
        var remedy: String
    }

    private let owners: [Owner]

    /// The addresses in manifests. Those of workloads without pods are unknown.
    init(_ objects: ClusterObjects) {
        var owners: [Owner] = []
        for pod in objects.pods where !pod.isFinished {
            let remedy =
                pod.hostNetwork
                ? "nodes with the entities host and remote-node" : "pods with fromEndpoints or toEndpoints"
            for address in pod.addresses {
                owners.append(Owner(address: address, name: "pod \(pod.qualifiedName)", remedy: remedy))
            }
        }
        for node in objects.nodes {
            for address in node.addresses {
                owners.append(
                    Owner(
                        address: address, name: "node \(node.metadata.name)",
                        remedy: "nodes with the entities host and remote-node"))
            }
        }
        for service in objects.services {
            for address in service.clusterIPs {
                let name = "Service \(service.metadata.namespace)/\(service.metadata.name)"
                owners.append(Owner(address: address, name: name, remedy: "the pods behind it, or use toServices"))
            }
        }
        self.owners = owners.sorted { ($0.address, $0.name) < ($1.address, $1.name) }
    }

    var isEmpty: Bool { owners.isEmpty }

    /// The first owner of an address in a prefix and in none of the exceptions.
    func first(in prefix: IPPrefix, except: [IPPrefix]) -> Owner? {
        let start = owners.partitioningIndex { $0.address >= prefix.address }
        return owners[start...].prefix { prefix.contains($0.address) }
            .first { owner in !except.contains { $0.contains(owner.address) } }
    }
}
