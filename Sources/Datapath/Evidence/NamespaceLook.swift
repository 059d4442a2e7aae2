import BPFEmit
import Glibc
import NetTypes
import Support

/// One look at one namespace.
struct NamespaceLook {
    /// The number by which the host knows it; `nil` when no link of the host leads there. Read outside: nothing that is in the
    /// namespace changes it.
    private(set) var number: Int32?
    /// What is known of it; `nil` when it is gone, or none of the host's business.
    private(set) var namespace: NamespaceEvidence?
    private(set) var problem: EvidenceProblem?

    init(_ candidate: NamespaceCandidates.Candidate, _ host: HostSide, _ budget: inout LookBudget) {
        do {
            let opened = try NetworkNamespace(path: candidate.path)
            // The path may stand for another namespace by now.
            guard try opened.identity().inode == candidate.inode else { return }
            number = try host.socket.number(of: opened)
            guard
                host.leads(into: number) || candidate.isMounted || candidate.isNoted || !candidate.podUIDs.isEmpty
            else { return }
            var found = NamespaceEvidence(
                inode: candidate.inode, path: candidate.path, name: candidate.name, isMounted: candidate.isMounted,
                podUIDs: candidate.podUIDs.sorted())
            do {
                found.interfaces = try NamespaceLook.interfaces(
                    in: opened, number: number, host, &budget[candidate], until: budget.end)
            } catch {
                found.failure = "\(error)"
            }
            namespace = found
        } catch {
            guard access(candidate.path, F_OK) == 0 else { return }
            problem = EvidenceProblem(
                kind: .unreadable, subject: candidate.name, reason: "the network namespace cannot be opened: \(error)")
        }
    }

    private static func interfaces(
        in namespace: NetworkNamespace, number: Int32?, _ host: HostSide, _ allowance: inout LookAllowance,
        until end: ContinuousClock.Instant
    ) throws -> [NamespaceEvidence.Interface] {
        let begin = ContinuousClock.now
        guard begin < end else { throw LookEnded.ofAll }
        guard allowance.time > .zero else { throw LookEnded.ofPod }
        defer { allowance.time -= .now - begin }
        let deadline = min(begin + allowance.time, end)
        let counts = allowance
        let inside = try namespace.run {
            let socket = try NetlinkSocket()
            func bounds(_ count: Int) -> ListBounds {
                ListBounds(count: count, attempts: LookAllowance.attempts, deadline: deadline)
            }
            let links = try socket.links(bounds(counts.links))
            let addresses = try socket.addresses(bounds(counts.addresses))
            return (links: links, addresses: addresses, host: try socket.number(of: host.namespace))
        }
        allowance.links -= inside.links.count
        allowance.addresses -= inside.addresses.count
        let addresses = Dictionary(grouping: inside.addresses.filter(\.isGlobal), by: \.interface)
        return inside.links.filter { !$0.isLoopback }.map { link in
            NamespaceEvidence.Interface(
                name: link.name, index: UInt32(bitPattern: link.index), kind: link.kind,
                reach: reach(link, number: number, host: inside.host, host),
                addresses: (addresses[link.index] ?? []).map(\.address).sorted())
        }.sorted { $0.index < $1.index }
    }

    /// Where an interface leads. A veth counts as the node's only when both ends name each other and each side's number for
    /// the other's namespace agrees.
    private static func reach(
        _ link: LinkRecord, number: Int32?, host: Int32?, _ side: HostSide
    ) -> NamespaceEvidence.Reach {
        let leadsToHost = host != nil && link.peerNamespace == host
        if link.kind == "veth" {
            guard leadsToHost, let peer = side.end(of: link, in: number) else { return .inside }
            return .node(ifindex: UInt32(bitPattern: peer.index))
        }
        // What comes out of an ifb carries a mark by which the kernel passes the programs at the next interface by (tc_skip_classify; Linux
        // 6.18 keeps it over a veth).
        if link.kind == "ifb" { return .around }
        // What has no kind is hardware, moved here; what hangs on an interface of the host sends by that one.
        return link.kind.isEmpty || leadsToHost ? .around : .inside
    }
}

/// Why a namespace is not entered.
enum LookEnded: Error, CustomStringConvertible {
    /// The pod's share is used up.
    case ofPod
    /// The time of all is used up.
    case ofAll

    var description: String {
        switch self {
        case .ofPod: "reading the pod's other namespaces took too long"
        case .ofAll: "reading other pods' namespaces took too long"
        }
    }
}
