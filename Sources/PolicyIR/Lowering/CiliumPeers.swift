import NetTypes
import PolicyAPI

/// Resolves the L3 members of an element (docs/spec/cilium-network-policy.md 4.5, 13, 14).
struct CiliumPeers {
    /// Who matches; `nil` when no L3 member is written.
    private(set) var match: PeerMatch?
    /// Unresolved references, as text, each with its field and a hint.
    private(set) var unresolved: [(member: String, what: String, hint: String)] = []
    /// How many peers there are, with their exceptions. Where it is more than the room some of them are left out of `match`.
    private(set) var size = 0

    /// `room`: so many there may be. A group or a Service stands for thousands, and may be named thousands of times.
    init(
        _ element: CiliumElement, _ direction: Direction, _ action: RuleAction, _ scope: CiliumScope,
        _ directory: CiliumDirectory, room: Int = .max
    ) {
        var found = 0
        var seen: Set<CIDRRule> = []
        var isWritten = false
        var selectsNothing = false
        var peers: [Peer] = []
        // "any of those present but []: the whole element selects no peer". netpold says the same of toServices and
        // toFQDNs in allow rules; Cilium reads them as absent, so as everyone.
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
        var unresolved: [(member: String, what: String, hint: String)] = []
        let cidrSet = direction == .ingress ? "fromCIDRSet" : "toCIDRSet"
        add(element.cidrSet) { entry in
            let groups: [CIDRGroup]
            let missing: (what: String, hint: String)
            switch entry.source {
            case .prefix(let prefix): return [.addresses(prefix, except: entry.except, .outsideCluster)]
            case .group(let name):
                groups = directory.groups.group(named: name).map { [$0] } ?? []
                missing = ("there is no CiliumCIDRGroup \(name)", "add the group, or write the prefixes as cidr")
            case .groups(let selector):
                groups = directory.groups.groups(matching: selector)
                missing = (
                    "no CiliumCIDRGroup has the labels of cidrGroupSelector",
                    "add a group with these labels, or write the prefixes as cidr"
                )
            }
            if groups.isEmpty { unresolved.append((cidrSet, missing.what, missing.hint)) }
            for group in groups where group.isUnknown {
                unresolved.append(
                    (
                        cidrSet, "CiliumCIDRGroup \(group.metadata.name) was refused",
                        "fix the group; its errors say what is wrong"
                    ))
            }
            guard seen.insert(entry).inserted else { return [] }
            found += groups.reduce(0) { $0 + $1.prefixes.count } * (1 + entry.except.count)
            if found > room { return [] }
            // "the engine applies except to the group selector too and does not validate containment".
            return groups.flatMap(\.prefixes).map { .addresses($0, except: entry.except, .outsideCluster) }
        }
        // "Like absent": a deny that selected nothing would let pass what it is to deny.
        add(action == .deny && element.services == .empty ? .absent : element.services) { reference in
            if found > room { return [] }
            let services = directory.services.services(reference)
            let backends = services.flatMap { directory.services.peers(of: $0, isDenied: action == .deny) }
            let doubts = services.compactMap(directory.services.doubt)
            unresolved += doubts.map { ("toServices", $0.what, $0.hint) }
            if backends.isEmpty, doubts.isEmpty {
                unresolved.append(
                    (
                        "toServices", CiliumPeers.unknown(reference),
                        "add the Service, or the EndpointSlices of a Service without selector"
                    ))
            }
            found += backends.count
            return found > room ? [] : backends
        }
        if action == .deny, let (member, doubt) = element.doubtAboutAPIServer(directory.services) {
            unresolved.append(((direction == .ingress ? "from" : "to") + member, doubt.what, doubt.hint))
        }
        self.unresolved = unresolved
        size = max(
            found,
            peers.reduce(0) { count, peer in
                if case .addresses(_, let except, _) = peer { count + 1 + except.count } else { count + 1 }
            })
        match = isWritten ? .anyOf(selectsNothing ? [] : peers) : nil
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
