import Support

/// The host's side of the pairs that lead into other namespaces.
struct HostSide {
    /// A socket in the host's namespace.
    let socket: NetlinkSocket
    /// That namespace.
    let namespace: NetworkNamespace
    /// Its interfaces, by number.
    private let links: [Int32: LinkRecord]
    /// The numbers of the namespaces that interfaces lead into.
    private let numbers: Set<Int32>

    init(_ socket: NetlinkSocket, _ namespace: NetworkNamespace, _ links: [LinkRecord]) {
        self.socket = socket
        self.namespace = namespace
        self.links = Dictionary(links.map { ($0.index, $0) }) { first, _ in first }
        self.numbers = Set(links.compactMap(\.peerNamespace))
    }

    /// Whether an interface leads into a namespace.
    func leads(into number: Int32?) -> Bool { number.map(numbers.contains) ?? false }

    /// The veth of the host whose other end is an interface of the namespace with this number. Both ends have to name each
    /// other: one between two other namespaces may have the same numbers.
    func end(of inside: LinkRecord, in number: Int32?) -> LinkRecord? {
        guard let number, let link = links[inside.peerIndex], link.kind == "veth", link.peerIndex == inside.index,
            link.peerNamespace == number
        else { return nil }
        return link
    }
}
