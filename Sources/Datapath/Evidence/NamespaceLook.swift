import BPFEmit
import Glibc
import NetTypes
import Support

/// One look at one namespace.
struct NamespaceLook {
    /// The number by which the host knows it; `nil` when no link of the host leads there.
    private(set) var number: Int32?
    /// What is known of it; `nil` when it is gone, or none of the host's business.
    private(set) var namespace: NamespaceEvidence?
    private(set) var problem: EvidenceProblem?

    init(
        _ candidate: NamespaceCandidates.Candidate, _ socket: NetlinkSocket, _ host: NetworkNamespace,
        _ links: [LinkRecord]
    ) {
        do {
            let opened = try NetworkNamespace(path: candidate.path)
            // The path may stand for another namespace by now.
            guard try opened.identity().inode == candidate.inode else { return }
            number = try socket.number(of: opened)
            let isLinked = number.map { number in links.contains { $0.peerNamespace == number } } ?? false
            guard isLinked || candidate.isMounted || candidate.isNoted || !candidate.podUIDs.isEmpty else { return }
            var found = NamespaceEvidence(
                inode: candidate.inode, path: candidate.path, name: candidate.name, isMounted: candidate.isMounted,
                podUIDs: candidate.podUIDs.sorted())
            do {
                found.interfaces = try NamespaceLook.interfaces(in: opened, number: number, host: host, links)
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
        in namespace: NetworkNamespace, number: Int32?, host: NetworkNamespace, _ links: [LinkRecord]
    ) throws -> [NamespaceEvidence.Interface] {
        let inside = try namespace.run {
            let socket = try NetlinkSocket()
            let links = try socket.links()
            return (links: links, addresses: try socket.addresses(), host: try socket.number(of: host))
        }
        return inside.links.filter { !$0.isLoopback }.map { link in
            let addresses = inside.addresses.filter { $0.interface == link.index && $0.isGlobal }
            return NamespaceEvidence.Interface(
                name: link.name, index: UInt32(bitPattern: link.index), kind: link.kind,
                reach: reach(link, number: number, host: inside.host, links),
                addresses: addresses.map(\.address).sorted())
        }.sorted { $0.index < $1.index }
    }

    /// Where an interface leads. A veth counts as the node's only when both ends name each other and each side's number for
    /// the other's namespace agrees: one between two other namespaces may have the same numbers.
    private static func reach(
        _ link: LinkRecord, number: Int32?, host: Int32?, _ links: [LinkRecord]
    ) -> NamespaceEvidence.Reach {
        let leadsToHost = host != nil && link.peerNamespace == host
        if link.kind == "veth" {
            let peer = links.first {
                $0.index == link.peerIndex && $0.peerIndex == link.index && $0.kind == "veth"
                    && number != nil && $0.peerNamespace == number
            }
            guard leadsToHost, let peer else { return .inside }
            return .node(ifindex: UInt32(bitPattern: peer.index))
        }
        // What has no kind is hardware, moved here; what hangs on an interface of the host sends by that one.
        return link.kind.isEmpty || leadsToHost ? .around : .inside
    }
}
