import NetTypes
public import PolicyAPI

/// Every class of remote ends of a cluster, and which of them each peer of the policies matches, by index.
///
/// Two ends that no policy can tell apart are one *remote* and have one identity: for a pod's address its namespace,
/// labels, named ports, service account and the NetworkPolicy prefixes that contain it; for a node's address whose node it
/// is, the node labels that policies mention and those prefixes; outside the cluster the policy prefixes that contain it,
/// and whether it is the API server's. Names that DNS gives an address make no identity.
///
/// This is the fast path of compilation. It shares no code with the naive evaluator, so that the two check each other.
///
/// Everything may change. Namespaces, nodes and what policies mention are set one by one; `settle` then puts the
/// addresses of nodes and the entries outside into their new classes, and says which addresses of pods its caller, who
/// alone knows them, must ask about again. Nothing is ever renumbered: classes, remotes, prefixes and terms that nobody
/// needs any more stay behind, dead, and `size` says when it is time to make a new index.
public struct IdentityIndex: Sendable {
    /// Index of a remote in this value; not stable across values, unlike its identity number.
    public typealias RemoteID = Int32
    /// Index of a class of pods.
    public typealias ClassID = Int32
    /// Index of a distinct peer.
    public typealias TermID = Int32

    var symbols = SymbolTable()
    let keys: CiliumSymbols
    let localNode: String

    // Namespaces, by index.
    var namespaces: [NamespaceEntry] = []
    var namespaceIDs: [UInt32: Int32] = [:]

    // Classes of pods, by index; their labels and named ports in two pools.
    var classes: [PodClass] = []
    /// Classes by what makes them.
    var classTable = ProbeTable()
    let classHash = KeyedHash()
    var labels: [LabelPair] = []
    var namedPorts: [NamedPort] = []
    /// By label key, filled at the first selector that needs it: classes by value.
    var postings: [UInt32: [UInt32: [ClassID]]] = [:]
    /// Whether a label key is one that Cilium policies see, by symbol: 0 unknown, 1 no, 2 yes.
    var identityKeys: [UInt8] = []
    /// The key of the class that is looked for: namespace and service account, how many labels, those, named ports, each sorted.
    var classKey: [UInt64] = []

    // Remotes, by index.
    var remotes: [Remote] = []
    /// Raised whenever remotes have got numbers: what is kept in the order of numbers is of one value of it.
    public internal(set) var numbering = 0
    /// The sets of `reserved:` labels that remotes carry; the first is empty: pods.
    var reservedSets: [Set<UInt32>] = [[]]
    var remotesOfReserved: [[RemoteID]] = [[]]
    /// Which remotes were alive before the changes that nobody has taken yet; `nil`: nobody will ask.
    var livenessBefore: [RemoteID: Bool]?

    // NetworkPolicy prefixes and the sets of them that addresses lie in; the first set is empty.
    var blocks = PrefixTable()
    var blockSets: [[Int32]] = [[]]
    var blockSetIDs: [[Int32]: Int32] = [[]: 0]
    /// By prefix: the sets that hold it, ascending.
    var blockSetsInside: [Int32: [Int32]] = [:]
    var remotesOfBlocks: [[RemoteID]] = [[]]
    /// Those that came or went since the last `settle`.
    var changedBlocks: Set<IPPrefix> = []

    var nodes = NodeTable()
    var outside = OutsideTable()
    var servers = APIServers()

    // Peers.
    var terms: [PeerTerm] = []
    /// Terms by what makes them.
    var termTable = ProbeTable()
    var termKeys: [[UInt32]] = []
    /// The key of the term that is looked for.
    var termKey: [UInt32] = []
    /// The terms that somebody has asked for, by where they are looked for when a remote comes or goes.
    var evaluated: [TermPlace: [TermID]] = [:]
    /// Terms that began or ceased to match a live remote because its namespace got other labels.
    var relabelled: [RemoteID: Set<TermID>] = [:]

    /// An index of nothing but the local node, some other node and the outside.
    ///
    /// - Parameter localNode: the name of the node whose pods are compiled: `host` in policies.
    public init(localNode: String) {
        keys = CiliumSymbols(&symbols)
        self.localNode = localNode
        for prefix in IdentityIndex.defaultPrefixes { retainEntry(prefix) }
    }

    /// An index of a cluster without its pods, settled.
    ///
    /// - Parameters:
    ///   - objects: the cluster; its namespaces and nodes are indexed.
    ///   - policies: the prefixes and node labels of all of them distinguish remote ends.
    ///   - localNode: the name of the node whose pods are compiled: `host` in policies.
    public init(_ objects: ClusterObjects, policies: [LoweredPolicy], localNode: String) {
        self.init(localNode: localNode)
        for policy in policies { mention(policy) }
        add(objects)
        _ = settle()
    }

    /// Sets everything that a cluster has, its pods on the pod network and its policies excepted.
    public mutating func add(_ objects: ClusterObjects) {
        for namespace in objects.namespaces { setNamespace(namespace.metadata.name, namespace) }
        for node in objects.nodes { setNode(node.metadata.name, node) }
        for pod in objects.pods where pod.hostNetwork { setHostPod(pod.qualifiedName, pod) }
        for slice in objects.endpointSlices { replaceSlice(nil, by: slice) }
    }

    /// 0.0.0.0/0 and ::/0: every address outside has an entry that holds it.
    static let defaultPrefixes: [IPPrefix] = [
        IPPrefix(IPAddress(ipv4: 0), length: 0), IPPrefix(IPAddress(high: 0, low: 0), length: 0),
    ].compactMap(\.self)

    /// The identity number of a remote.
    public func number(of remote: RemoteID) -> UInt32 { remotes[Int(remote)].number }

    /// How many remotes there are, dead ones included.
    public var remoteCount: Int { remotes.count }

    /// How many things the index holds, dead ones included: it never shrinks.
    public var size: Int {
        symbols.count + namespaces.count + classes.count + remotes.count + terms.count + blockSets.count
            + blocks.prefixes.count + outside.entries.prefixes.count
    }
}
