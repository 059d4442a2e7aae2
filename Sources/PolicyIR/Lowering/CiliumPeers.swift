import NetTypes
import PolicyAPI

/// Resolves the L3 members of an element (docs/spec/cilium-network-policy.md 4.5, 13, 14).
struct CiliumPeers {
    /// Who matches; `nil` when no L3 member is written.
    private(set) var match: PeerMatch?
    /// Unresolved references, as text, each with its field and a hint.
    private(set) var unresolved: [Unresolved] = []
    typealias Unresolved = (member: String, what: String, hint: String)

    init(_ element: CiliumElement, _ direction: Direction, _ scope: CiliumScope, _ directory: CiliumDirectory) {
        var isWritten = false
        var selectsNothing = false
        var peers: [Peer] = []
        // "any of those present but []: the whole element selects no peer". netpold says the same of toServices and
        // toFQDNs, which Cilium reads as absent, so as everyone.
        func add<Item>(_ member: Presence<[Item]>, _ convert: (Item) -> [Peer]) {
            switch member {
            case .absent: return
            case .empty: selectsNothing = true
            case .some(let items): peers += items.flatMap(convert)
            }
            isWritten = true
        }
        add(element.endpoints) { [.endpoints(scope.peer($0))] }
        add(element.nodes) { [.nodes(scope.nodes($0))] }
        add(element.entities) { [.entity($0)] }
        add(element.cidrs) { [.addresses($0, except: [], .outsideCluster)] }
        add(element.fqdns) { [.names($0)] }
        var unresolved: [Unresolved] = []
        let cidrSet = direction == .ingress ? "fromCIDRSet" : "toCIDRSet"
        add(element.cidrSet) { entry in
            let prefixes: [IPPrefix]
            switch entry.source {
            case .prefix(let prefix): prefixes = [prefix]
            case .group(let name):
                let group = directory.groups.group(named: name)
                if let group {
                    unresolved += [group].filter(\.isUnknown).map { CiliumPeers.refused($0, cidrSet) }
                } else {
                    unresolved.append(
                        (cidrSet, "there is no CiliumCIDRGroup \(name)", "add the group, or write the prefixes as cidr")
                    )
                }
                prefixes = group?.prefixes ?? []
            case .groups(let selector):
                let groups = directory.groups.groups(matching: selector)
                if groups.isEmpty {
                    unresolved.append(
                        (
                            cidrSet, "no CiliumCIDRGroup has the labels of cidrGroupSelector",
                            "add a group with these labels, or write the prefixes as cidr"
                        ))
                }
                unresolved += groups.filter(\.isUnknown).map { CiliumPeers.refused($0, cidrSet) }
                prefixes = groups.flatMap(\.prefixes)
            }
            // "the engine applies except to the group selector too and does not validate containment".
            return prefixes.map { .addresses($0, except: entry.except, .outsideCluster) }
        }
        add(element.services) { reference in
            let found = directory.services.services(reference).flatMap(directory.services.peers)
            if found.isEmpty {
                unresolved.append(
                    (
                        "toServices", CiliumPeers.unknown(reference),
                        "add the Service, or the EndpointSlices of a Service without selector"
                    ))
            }
            return found
        }
        self.unresolved = unresolved
        match = isWritten ? .anyOf(selectsNothing ? [] : peers) : nil
    }

    private static func refused(_ group: CIDRGroup, _ member: String) -> Unresolved {
        (member, "CiliumCIDRGroup \(group.metadata.name) was refused", "fix the group; its errors say what is wrong")
    }

    private static func unknown(_ reference: ServiceReference) -> String {
        let what =
            switch reference {
            case .named(let name, let namespace): "service \(namespace.isEmpty ? "*" : namespace)/\(name)"
            case .selected(_, let namespace):
                "a service that the selector matches\(namespace.isEmpty ? "" : " in \(namespace)")"
            }
        return "\(what) has no known backends"
    }
}
