import BPFEmit
import NetTypes

/// The enforceable links of the host that lead into one namespace, with what is known of it. Whoever the namespace belongs to,
/// all of them are his.
struct LinkGroup: Hashable, Sendable {
    /// The namespace; `nil` when nothing is known of it (one link then).
    var namespace: NamespaceEvidence?
    /// The links, by number.
    var links: [HostLink]
    /// What the runtime noted of it.
    var attachments: [CNIAttachment] = []

    /// The addresses that the namespace shows, of all its interfaces.
    var insideAddresses: Set<IPAddress> { Set(namespace?.interfaces.flatMap(\.addresses) ?? []) }

    /// Whether the namespace could be looked at and has no address yet but of its link (fe80::/10).
    var isBare: Bool {
        guard let namespace, namespace.failure == nil else { return false }
        return insideAddresses.allSatisfy { $0.high >> 54 == 0xfe80 >> 6 || !$0.canNameNode }
    }

    /// The runtime's note of the interface that a link leads to.
    ///
    /// Notes name the host's side where the plugin says it; else the name inside decides. That one can be changed inside,
    /// but only to the name of another interface of the same pod.
    func attachment(of link: HostLink) -> CNIAttachment? {
        if let exact = attachments.first(where: { $0.names(link) }) { return exact }
        let open = attachments.filter { note in !links.contains(where: note.names) }
        if open.count == 1, links.count == 1 { return open.first }
        let name = insideName(of: link)
        return open.first { $0.interface == name }
    }

    /// What the link's other end is called inside, as the namespace shows it; empty when that is not known.
    func insideName(of link: HostLink) -> String {
        namespace?.interfaces.first { $0.reach == .node(ifindex: link.ifindex) }?.name ?? ""
    }

    /// The groups of the host, by their first link.
    static func all(of evidence: HostEvidence) -> [LinkGroup] {
        let namespaces = Dictionary(evidence.namespaces.map { ($0.inode, $0) }) { first, _ in first }
        var groups: [LinkGroup] = []
        var byNamespace: [UInt64: Int] = [:]
        var byName: [String: Int] = [:]
        for link in evidence.links where link.isEnforceable {
            let number: Int
            if let inode = link.namespace, let known = byNamespace[inode] {
                groups[known].links.append(link)
                number = known
            } else {
                number = groups.count
                groups.append(LinkGroup(namespace: link.namespace.flatMap { namespaces[$0] }, links: [link]))
                if let inode = link.namespace { byNamespace[inode] = number }
            }
            byName[link.name] = number
        }
        for note in evidence.attachments {
            // The interface on the host is where the packets are, wherever its other end has been moved to.
            let named = note.hostInterfaces.compactMap { byName[$0.name] }
                .first { groups[$0].links.contains(where: note.names) }
            if let number = named ?? note.namespace.flatMap({ byNamespace[$0] }) {
                groups[number].attachments.append(note)
            }
        }
        for number in groups.indices { groups[number].forgetDead() }
        return groups
    }

    /// Leaves out what the runtime noted of sandboxes that are gone, where there is one that is not. Some plugins give the
    /// interface of a pod that is made again the same name, and notes outlive a crash of the runtime, or of the host.
    private mutating func forgetDead() {
        let live = attachments.filter { $0.namespace != nil }
        if !live.isEmpty { attachments = live }
    }
}

extension CNIAttachment {
    /// Whether it says that the plugins made this interface.
    func names(_ link: HostLink) -> Bool {
        hostInterfaces.contains { $0.name == link.name && ($0.mac.isEmpty || $0.mac == link.mac) }
    }
}

extension HostLink {
    /// Whether this is the interface that was seen earlier as `other`. The kernel gives no number away twice by itself; who
    /// asks for a number gets it, but hardly with the same name or address as well.
    func isSame(as other: HostLink) -> Bool {
        ifindex == other.ifindex && (name == other.name || (!mac.isEmpty && mac == other.mac))
    }
}
