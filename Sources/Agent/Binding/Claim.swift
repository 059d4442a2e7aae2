import BPFEmit
import NetTypes
import PolicyAPI

/// What evidence of one rank says about whose a group of links is.
enum Claim: Hashable, Sendable {
    /// Nothing.
    case silent
    /// The pod of this name.
    case pod(String)
    /// A pod for which there is no object.
    case missing(PodReference)
    /// Several, by name: it contradicts itself.
    case several([String])
}

/// A claim and what it rests on.
struct RankedClaim: Hashable, Sendable {
    var rank: EvidenceRank
    var claim: Claim

    static let silent = RankedClaim(rank: .insideAddress, claim: .silent)
}

/// Reads claims from the evidence of one moment. Pure.
struct ClaimReading {
    let table: BindingTable
    let groups: [LinkGroup]
    /// The interfaces that the host sends to an address over.
    private let routes: [UInt32: [IPAddress]]
    /// How many groups show an address of a pod inside, by pod.
    private let showings: [String: Int]
    /// The interfaces that better evidence than routes has bound, by the pod's object.
    private let holders: [String: Set<UInt32>]

    init(_ table: BindingTable, _ evidence: HostEvidence) {
        self.table = table
        groups = LinkGroup.all(of: evidence)
        // An address that is routed over two interfaces says nothing about either.
        let ways = Dictionary(grouping: Set(evidence.routes), by: \.address)
        var routes: [UInt32: [IPAddress]] = [:]
        for (address, found) in ways where found.count == 1 {
            for route in found { routes[route.ifindex, default: []].append(address) }
        }
        self.routes = routes
        var showings: [String: Int] = [:]
        for group in groups {
            for name in ClaimReading.owners(of: group.insideAddresses, table) { showings[name, default: 0] += 1 }
        }
        self.showings = showings
        var holders: [String: Set<UInt32>] = [:]
        for (ifindex, binding) in table.bindings where binding.rank > .hostRoute {
            guard let pod = binding.pod, let object = table.object(of: pod) else { continue }
            holders[object.qualifiedName, default: []].insert(ifindex)
        }
        self.holders = holders
    }

    /// The best evidence of the host about a group; what the namespace shows of itself is left out.
    ///
    /// Evidence that names several pods is narrowed by weaker evidence that names one of them. A cgroup says no more than a
    /// UID, which pods of a folder may not have, and some notes say only that it is a pod's: then weaker evidence for a pod
    /// that agrees with it decides.
    func best(for group: LinkGroup) -> RankedClaim {
        var open: RankedClaim?
        for rank in EvidenceRank.allCases.reversed() where rank != .insideAddress {
            let found = RankedClaim(rank: rank, claim: claim(rank, group))
            switch (found.claim, open?.claim) {
            case (.silent, _), (.missing, .some), (.several, .some): continue
            case (.pod(let name), .several(let names)):
                if names.contains(name) { return found }
            case (.pod(let name), .missing(let reference)):
                if let pod = table.directory[name], pod.agrees(with: reference) { return found }
            case (.pod, _): return found
            case (.missing(let reference), nil):
                guard rank == .podCgroup || reference.isEmpty else { return found }
                open = found
            case (.several, nil): open = found
            }
        }
        return open ?? .silent
    }

    /// The pod whose addresses the namespace shows, if it shows those of no other, nobody else shows them, and the pod is
    /// bound nowhere.
    func inside(_ group: LinkGroup) -> Claim {
        guard table.settings.source == .folder else { return .silent }
        let names = ClaimReading.owners(of: group.insideAddresses, table)
        guard let name = names.first else { return .silent }
        guard names.count == 1 else { return .several(names.sorted()) }
        let isBound = table.bindings.values.contains { binding in
            binding.pod.map { bound in table.directory[name].map(bound.isSame) ?? false } ?? false
        }
        if isBound { return .silent }
        return showings[name] == 1 ? .pod(name) : .several([name])
    }

    /// The addresses that the host itself knows to be behind a link.
    func addresses(behind link: HostLink) -> [IPAddress] { table.pinned[link.ifindex] ?? routes[link.ifindex] ?? [] }

    private func claim(_ rank: EvidenceRank, _ group: LinkGroup) -> Claim {
        switch rank {
        case .cniRecord: noted(group.attachments.filter { $0.source == .netpold }, group)
        case .cniCache: noted(group.attachments.filter { $0.source == .libcni }, group)
        case .podCgroup: merged((group.namespace?.podUIDs ?? []).map { find(PodReference(uid: $0)) })
        case .cniAddress: unnamed(group.attachments.filter(\.pod.isEmpty))
        case .pinnedEndpoint: pinned(group.links.compactMap { table.pinned[$0.ifindex] })
        case .hostRoute: routed(group)
        case .insideAddress: .silent
        }
    }

    /// Notes that name their pod.
    private func noted(_ notes: [CNIAttachment], _ group: LinkGroup) -> Claim {
        let uids = group.namespace?.podUIDs ?? []
        let references = notes.filter { !$0.pod.isEmpty }.map { note in
            var reference = note.pod
            // Older runtimes tell no UID; the cgroup does.
            if reference.uid.isEmpty, uids.count == 1 { reference.uid = uids[0] }
            return reference
        }
        return merged(Set(references).map { find($0, addresses: notes.flatMap(\.addresses)) })
    }

    /// Notes that name addresses only, as early versions of libcni wrote them.
    private func unnamed(_ notes: [CNIAttachment]) -> Claim {
        guard !notes.isEmpty else { return .silent }
        let claim = owned(notes.flatMap(\.addresses))
        return claim == .silent ? .missing(PodReference()) : claim
    }

    private func pinned(_ endpoints: [[IPAddress]]) -> Claim {
        guard !endpoints.isEmpty else { return .silent }
        let claim = owned(endpoints.flatMap(\.self))
        return claim == .silent ? .missing(PodReference()) : claim
    }

    /// The pods that the host sends to over a group's links. One that is known to be elsewhere is not here for a route.
    private func routed(_ group: LinkGroup) -> Claim {
        let addresses = group.links.flatMap { routes[$0.ifindex] ?? [] }
        let names = ClaimReading.owners(of: Set(addresses), table).filter { name in
            holders[name].map { $0.contains { ifindex in group.links.contains { $0.ifindex == ifindex } } } ?? true
        }
        return ClaimReading.one(of: names)
    }

    private func owned(_ addresses: [IPAddress]) -> Claim {
        ClaimReading.one(of: ClaimReading.owners(of: Set(addresses), table))
    }

    private static func one(of names: Set<String>) -> Claim {
        names.count > 1 ? .several(names.sorted()) : names.first.map(Claim.pod) ?? .silent
    }

    /// The local pods that have one of these addresses.
    private static func owners(of addresses: Set<IPAddress>, _ table: BindingTable) -> Set<String> {
        Set(addresses.flatMap(table.directory.owners(of:))).filter { name in
            table.directory[name].map(table.isLocal) ?? false
        }
    }

    /// The object of a reference. A pod on the host's network has no namespace of its own: whatever process of it is in one,
    /// is there on business.
    private func find(_ reference: PodReference, addresses: [IPAddress] = []) -> Claim {
        if !reference.uid.isEmpty {
            var names = table.directory.names(withUID: reference.uid)
            if names.isEmpty {
                // The mirror of a static pod is on the static pod's node.
                names = table.directory.mirrors(of: reference).filter { name in
                    !reference.name.isEmpty || table.directory[name].map(table.isLocal) == true
                }
            }
            if !names.isEmpty {
                let own = names.filter { table.directory[$0]?.hostNetwork == false }
                return own.count > 1 ? .several(own.sorted()) : own.first.map(Claim.pod) ?? .silent
            }
        }
        guard !reference.name.isEmpty, let pod = table.directory["\(reference.namespace)/\(reference.name)"],
            !pod.hostNetwork, reference.uid.isEmpty || pod.metadata.uid.isEmpty
        else { return .missing(reference) }
        // A namespace that is left over from the pod's predecessor of the same name has other addresses.
        let isOther = !addresses.isEmpty && !pod.addresses.isEmpty && Set(addresses).isDisjoint(with: pod.addresses)
        return isOther ? .missing(reference) : .pod(pod.qualifiedName)
    }

    private func merged(_ claims: [Claim]) -> Claim {
        let spoken = Set(claims).subtracting([.silent])
        guard spoken.count > 1 else { return spoken.first ?? .silent }
        let names = spoken.flatMap { claim -> [String] in
            switch claim {
            case .silent: []
            case .pod(let name): [name]
            case .missing(let reference): ["\(reference)"]
            case .several(let names): names
            }
        }
        return .several(Set(names).sorted())
    }
}
