import PolicyAPI

@testable import Agent

/// Single events, as the tests of the binding speak of them.
extension BindingTable {
    mutating func upsert(_ pod: Pod) -> BindingChange { update([.upsert(pod)]) }

    mutating func remove(namespace: String, name: String) -> BindingChange {
        update([.remove(namespace: namespace, name: name)])
    }

    /// These Pod objects in place of all others.
    mutating func replace(pods: [Pod]) -> BindingChange {
        let names = Set(pods.map(\.qualifiedName))
        let gone = directory.pods.values.filter { !names.contains($0.qualifiedName) }.map {
            BindingChange.PodChange.remove(namespace: $0.metadata.namespace, name: $0.metadata.name)
        }
        return update(gone + pods.map(BindingChange.PodChange.upsert))
    }

    /// These Node objects in place of all others.
    mutating func set(nodes wanted: Set<String>) -> BindingChange {
        var all = BindingChange()
        let changes =
            wanted.subtracting(nodes).sorted().map { add(node: $0) }
            + nodes.subtracting(wanted).sorted().map { remove(node: $0) }
        for change in changes {
            all.pods += change.pods
            all.changesView = all.changesView || change.changesView
            all.changesEndpoints = all.changesEndpoints || change.changesEndpoints
            all.changesRecords = all.changesRecords || change.changesRecords
        }
        return all
    }
}
