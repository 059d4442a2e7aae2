import NetTypes
public import PolicyAPI

/// Every class of remote ends of a cluster, and which of them each peer of the policies matches, by index.
///
/// Two ends that no policy can tell apart are one *remote* and have one identity: for a pod's address its namespace,
/// labels, named ports, service account and the NetworkPolicy prefixes that contain it; for a node's address whose node it
/// is, the node labels that policies mention and those prefixes; outside the cluster the policy prefixes that contain it and the name selectors it was learnt by.
///
/// This is the fast path of compilation. It shares no code with the naive evaluator, so that the two check each other.
/// Namespaces, nodes and policies are fixed at `init`; pods come and go.
public struct IdentityIndex: Sendable {
    /// Index of a remote in this value; not stable across values, unlike its identity number.
    public typealias RemoteID = Int32
    /// Index of a class of pods.
    public typealias ClassID = Int32
    /// Index of a distinct peer.
    public typealias TermID = Int32

    var symbols = SymbolTable()
    let keys: CiliumSymbols

    // Namespaces, by index.
    var namespaces: [NamespaceEntry] = []
    var namespaceIDs: [UInt32: Int32] = [:]

    // Classes of pods, by index; their labels and named ports in two pools.
    var classes: [PodClass] = []
    var classIDs: [[UInt32]: ClassID] = [:]
    var labels: [LabelPair] = []
    var namedPorts: [NamedPort] = []
    /// By label key, filled at the first selector that needs it: classes by value.
    var postings: [UInt32: [UInt32: [ClassID]]] = [:]
    /// Whether a label key is one that Cilium policies see, by symbol: 0 unknown, 1 no, 2 yes.
    var identityKeys: [UInt8] = []
    var scratch: [UInt32] = []

    // Remotes, by index.
    var remotes: [Remote] = []
    /// The sets of `reserved:` labels that remotes carry; the first is empty: pods.
    var reservedSets: [Set<UInt32>] = [[]]
    var remotesOfReserved: [[RemoteID]] = [[]]

    // Labels of nodes, of the keys that policies mention, sorted by key; the first set is empty.
    let nodeKeys: [String]
    var nodeLabelSets: [[LabelPair]] = [[]]

    // NetworkPolicy prefixes and the sets of them that addresses lie in; the first set is empty.
    let blocks: PrefixTable
    var blockSets: [[Int32]] = [[]]
    var blockSetIDs: [[Int32]: Int32] = [[]: 0]
    var remotesOfBlocks: [[RemoteID]] = [[]]

    // Prefixes outside the cluster.
    let outside: PrefixTable
    var outsideRemotes: [RemoteID] = []
    var remotesOfName: [FQDNSelector: [RemoteID]] = [:]

    // Peers.
    var terms: [PeerTerm] = []
    var termIDs: [[UInt32]: TermID] = [:]
    var termsOfNamespace: [UInt32: [TermID]] = [:]
    var termsOfAnyNamespace: [TermID] = []

    /// Addresses of nodes, hostNetwork pods' included.
    var nodeAddresses: [IPAddress: RemoteID] = [:]
    /// The remotes that are the local node.
    public internal(set) var hostRemotes: [RemoteID] = []

    /// An index of a cluster without its pods.
    ///
    /// - Parameters:
    ///   - objects: the cluster; its namespaces and nodes are indexed.
    ///   - policies: the prefixes, names and node labels of all of them distinguish remote ends.
    ///   - localNode: the name of the node whose pods are compiled: `host` in policies.
    public init(_ objects: ClusterObjects, policies: [LoweredPolicy], localNode: String) {
        keys = CiliumSymbols(&symbols)
        let named = PolicyMentions(policies)
        let learnt = LearntAddresses(objects, selectors: named.names)
        blocks = PrefixTable(named.everywhere)
        nodeKeys = named.nodeKeys.sorted()
        outside = PrefixTable(
            named.everywhere + named.outside + learnt.addresses.map { IPPrefix(host: $0) }
                + IdentityIndex.defaultPrefixes)

        for namespace in objects.namespaces { addNamespace(namespace.metadata.name, namespace.metadata.labels) }
        addNodes(objects, localNode: localNode, apiServers: learnt.apiServers)
        addOutside(named: Set(named.everywhere + named.outside), learnt: learnt)
    }

    /// 0.0.0.0/0 and ::/0: every address outside has an entry that holds it.
    static let defaultPrefixes: [IPPrefix] = [
        IPPrefix(IPAddress(ipv4: 0), length: 0), IPPrefix(IPAddress(high: 0, low: 0), length: 0),
    ].compactMap(\.self)

    /// The identity number of a remote.
    public func number(of remote: RemoteID) -> UInt32 { remotes[Int(remote)].number }

    /// How many remotes there are, dead ones included.
    public var remoteCount: Int { remotes.count }
}
