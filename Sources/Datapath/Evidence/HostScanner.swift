public import BPFEmit
import Glibc
import NetTypes
public import Support

/// Looks at the host for everything that says which interface is which pod.
public struct HostScanner: Sendable {
    /// Where to look.
    public struct Places: Hashable, Sendable {
        /// Where `ip netns` and container runtimes mount namespaces.
        public static let systemNamespaces = "/run/netns"
        /// Where container runtimes keep libcni's result cache.
        public static let systemCaches = ["/var/lib/cni/results", "/var/lib/cni/cache/results"]

        /// The folder in which namespaces are mounted.
        public var namespaces: String
        /// The folders of libcni's result cache.
        public var cniCaches: [String]
        /// The folder of the notes of netpold's own CNI plugin; `nil` for none.
        public var cniRecords: String?
        /// The file system of processes.
        public var processes: String

        /// Places.
        public init(
            namespaces: String = systemNamespaces, cniCaches: [String] = systemCaches, cniRecords: String? = nil,
            processes: String = "/proc"
        ) {
            self.namespaces = namespaces
            self.cniCaches = cniCaches
            self.cniRecords = cniRecords
            self.processes = processes
        }
    }

    /// More namespaces are not looked at, and reported.
    private static let namespaceLimit = 8192
    /// How long one look may be inside other namespaces. Whoever waits for it is told of a fault much later.
    private static let lookTime = Duration.seconds(10)

    private let places: Places

    /// A scanner of these places.
    public init(_ places: Places) { self.places = places }

    /// Looks once, from the network namespace of the calling thread. Takes about a millisecond a namespace.
    ///
    /// A namespace that cannot be entered, or not be read within what its pod may cost (`LookAllowance`), is in the answer, with the
    /// reason; what vanished meanwhile is not. Which interface leads into which namespace is read outside, and known of all.
    /// - Throws: `SystemError` when the own namespace cannot be read: then nothing is known.
    public func evidence() throws(SystemError) -> HostEvidence {
        let host = try NetworkNamespace(path: NamespaceFile.own)
        let own = try host.identity().inode
        let socket = try NetlinkSocket()
        // Links first: listing them is what gives the namespaces behind them their numbers.
        let links = try socket.links()
        let addresses = try socket.addresses()
        let routes = try socket.routes()
        var evidence = HostEvidence(
            host: HostIdentity(bootID: HostScanner.bootID(places.processes), namespace: own),
            routes: routes.hosts, addresses: routes.localAddresses.union(addresses.map(\.address)).sorted(),
            networks: Set(addresses.map(\.network)).sorted(), masters: HostScanner.masters(links))
        let processes = ProcessNamespaces(places.processes, own: own)
        let cache = CNICache(folders: places.cniCaches, source: .libcni)
        let records = CNICache(folders: places.cniRecords.map { [$0] } ?? [], source: .netpold)
        evidence.attachments = (cache.attachments + records.attachments).sorted { $0.file < $1.file }
        evidence.problems = processes.problems + cache.problems + records.problems
        // Not as addresses of the node: policies would need a range of the host for them, which nothing but this needs.
        evidence.problems += routes.localPrefixes.map { prefix in
            EvidenceProblem(
                kind: .ignored, subject: "\(prefix)",
                reason:
                    "a local route of the node takes all its addresses for the node's own; pods' policies see the outside there"
            )
        }

        var candidates = NamespaceCandidates(limit: HostScanner.namespaceLimit, own: own)
        candidates.add(mountedIn: places.namespaces, &evidence.problems)
        candidates.add(processes)
        candidates.add(evidence.attachments)
        if candidates.leftOut > 0 {
            evidence.problems.append(
                EvidenceProblem(
                    kind: .unreadable, subject: "\(candidates.leftOut) network namespaces",
                    reason:
                        "there are \(candidates.leftOut) network namespaces more than \(HostScanner.namespaceLimit); "
                        + "they were not looked at"))
        }

        var namespaces: [Int32: UInt64] = [:]
        let side = HostSide(socket, host, links)
        var budget = LookBudget(end: .now + HostScanner.lookTime)
        for candidate in candidates.inOrder {
            let look = NamespaceLook(candidate, side, &budget)
            if let number = look.number { namespaces[number] = candidate.inode }
            if let problem = look.problem { evidence.problems.append(problem) }
            if let namespace = look.namespace { evidence.namespaces.append(namespace) }
        }
        evidence.links = links.filter(\.isPairEnd).map { link in
            HostLink(link, namespace: link.peerNamespace.flatMap { namespaces[$0] })
        }.sorted { $0.ifindex < $1.ifindex }
        evidence.problems += links.compactMap { HostScanner.problem(with: $0, namespaces) }
        evidence.problems = Set(evidence.problems).sorted { ($0.subject, $0.reason) < ($1.subject, $1.reason) }
        return evidence
    }

    /// Looks at one namespace, from that of the calling thread.
    ///
    /// - Parameter path: a file that stands for it.
    /// - Returns: the interfaces of the own namespace that lead into it, and what is in it.
    /// - Throws: `SystemError` when there is no namespace at the path, or it cannot be looked at.
    public static func look(at path: String) throws(SystemError) -> (links: [HostLink], namespace: NamespaceEvidence) {
        guard let file = NamespaceFile(path) else {
            throw SystemError("open namespace", path, nil, detail: "no network namespace is there")
        }
        let socket = try NetlinkSocket()
        let links = try socket.links()
        let candidate = NamespaceCandidates.Candidate(inode: file.inode, path: path, name: path, isNoted: true)
        let side = HostSide(socket, try NetworkNamespace(path: NamespaceFile.own), links)
        var budget = LookBudget(end: .now + lookTime)
        let look = NamespaceLook(candidate, side, &budget)
        guard let namespace = look.namespace, namespace.failure == nil else {
            throw SystemError(
                "look at namespace", path, nil, detail: look.namespace?.failure ?? look.problem?.reason ?? "it is gone")
        }
        let ends = links.filter { $0.isPairEnd && $0.peerNamespace != nil && $0.peerNamespace == look.number }
        return (ends.map { HostLink($0, namespace: file.inode) }, namespace)
    }

    /// What is wrong with an interface of the node that stands on one in a pod's namespace, as a macvlan that the pod has moved here.
    private static func problem(with link: LinkRecord, _ namespaces: [Int32: UInt64]) -> EvidenceProblem? {
        guard !link.isPairEnd, let number = link.peerNamespace, namespaces[number] != nil else { return nil }
        return EvidenceProblem(
            kind: .unreadable, subject: "interface \(link.name)",
            reason:
                "this \(link.kind) stands on an interface in a pod's network namespace: by it what is there reaches the node past "
                + "its policies; remove it, and take NET_ADMIN from the pod or give it a user namespace")
    }

    /// Of each pair's end, whom it is enslaved to, up to the one that is nobody's slave.
    private static func masters(_ links: [LinkRecord]) -> [UInt32: [UInt32]] {
        let masters = Dictionary(links.map { ($0.index, $0.master) }) { first, _ in first }
        var found: [UInt32: [UInt32]] = [:]
        for link in links where link.isPairEnd && link.master != 0 {
            var chain: [UInt32] = []
            var next = link.master
            // The kernel allows no circles; a list that is read while it changes may have one.
            while next != 0, !chain.contains(UInt32(bitPattern: next)) {
                chain.append(UInt32(bitPattern: next))
                next = masters[next] ?? 0
            }
            found[UInt32(bitPattern: link.index)] = chain
        }
        return found
    }

    /// Calls `changed`, on a thread that lives as long as the process, whenever links or addresses change, and some times
    /// afterwards.
    public func watch(_ changed: @escaping @Sendable () -> Void) throws(SystemError) {
        try LinkThread.start(changed)
    }

    private static func bootID(_ processes: String) -> String {
        let bytes = (try? BoundedFile.read("\(processes)/sys/kernel/random/boot_id", limit: 64)) ?? []
        return String(decoding: bytes.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
    }
}

extension HostLink {
    /// A link as the kernel lists it.
    fileprivate init(_ link: LinkRecord, namespace: UInt64?) {
        self.init(
            ifindex: UInt32(bitPattern: link.index), name: link.name, mac: link.mac, kind: link.kind,
            peerIndex: UInt32(bitPattern: link.peerIndex), namespace: namespace)
    }
}

extension LinkRecord {
    /// Whether it is one end of a pair whose other end is in another namespace.
    fileprivate var isPairEnd: Bool { (kind == "veth" || kind == "netkit") && peerNamespace != nil && peerIndex != 0 }
}
