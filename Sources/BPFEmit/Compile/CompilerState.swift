public import NetTypes
public import PolicyAPI
public import PolicyIR

/// A node's image with everything needed to change it in place when an object of whatever kind comes, goes or changes.
///
/// The image after any sequence of changes equals the one compiled from scratch with the same allocator: the full compile
/// is `init`, and changing is `apply`. What each costs is said there.
///
/// An address that two pods (or a pod and a node) claim belongs to neither: it gets identity 0, which no allow rule names and
/// every deny rule does, and neither pod may send from it. A diagnostic names the claimants.
///
/// The fallback: nothing in here is renumbered while it lives, so what nobody needs any more stays behind. When that has
/// outgrown what there was at the last full compile (and 65,536 things more), `apply` ends with a full compile. So its cost is
/// paid once in as many changes as there are objects, and no kind of change asks for it by itself.
public struct CompilerState: Sendable {
    /// The name of the node whose pods are compiled.
    public let localNode: String
    /// The numbers given so far.
    public internal(set) var allocator: IdentityAllocator

    var book: PolicyBook
    var index: IdentityIndex
    var slots = PolicySlots()
    var namespaces: [String: Namespace] = [:]
    var nodes: [String: Node] = [:]
    /// Addresses of the local node besides those of its object; `nil` while nobody has said.
    var ownAddresses: [IPAddress]?
    var names: [String: [IPAddress]] = [:]
    /// As `ClusterObjects.localNetworks`.
    var localNetworks: [IPPrefix] = []
    /// What follows from those.
    var sharedAddresses: Set<IPAddress>
    var pods = PodTable()
    var claims = AddressClaims()
    var subjects = SubjectTable()
    var compiled = DirectionPolicies()
    var services: ServiceTable
    /// The subject that the node itself is; `nil` where its policies are not compiled.
    var hostSubject: Int?
    /// The one with the policies that it goes back to, and whether there are such.
    var formerHostSubject: Int?
    var hasFormerHost = false
    /// Those that the node does not translate, as programs see them.
    var observed: ObservedServices

    // Parts of the image, patched in place.
    var identities: [IdentityRecord] = []
    var addresses: [AddressEntry] = []
    var prefixes: [PrefixEntry] = []
    /// The local pods, sorted by namespace and name.
    public internal(set) var endpoints: [EndpointImage] = []

    /// When the index has this size, everything is compiled again.
    var sizeLimit = 0
    /// What may be left behind before that, however few things there are.
    var slack = 65_536

    /// Compiles a cluster for one node. The policies among the objects are lowered here.
    ///
    /// After a restart, begin with all objects that are known: pinned numbers are adopted in the first compile only.
    ///
    /// - Parameters:
    ///   - objects: the cluster.
    ///   - standIns: policies in the place of refused ones, lowered already.
    ///   - localNode: the node; pods without a node name are local too. `nil`: `NodeCompiler.defaultNode`.
    ///   - ownAddresses: what the local node has besides the addresses of its Node object.
    ///   - allocator: the numbers given before, so that they stay.
    ///   - serviceSettings: which Services the node translates.
    ///   - prefixLimit: how many prefixes policies may name together; `nil`: as many as there is room for.
    public init(
        _ objects: ClusterObjects, standIns: [ClusterObject.Key: [LoweredPolicy]] = [:], localNode: String? = nil,
        ownAddresses: [IPAddress]? = nil, allocator: IdentityAllocator = IdentityAllocator(),
        serviceSettings: ServiceSettings = ServiceSettings(mode: .translate), prefixLimit: Int? = nil
    ) {
        var book = PolicyBook(objects, prefixLimit: prefixLimit)
        for (key, policies) in standIns { book.set(policies, for: key) }
        _ = book.takeChanges()
        self.init(
            objects, book, localNode: localNode, ownAddresses: ownAddresses, allocator: allocator,
            serviceSettings: serviceSettings)
    }

    /// Compiles a cluster for one node with these policies, whichever are among the objects.
    ///
    /// - Parameters:
    ///   - objects: the cluster.
    ///   - lowered: `PolicyLowering.lower(objects, for: .enforcement).policies`. Each stays until an object of its origin's
    ///     kind, namespace and name is upserted or deleted.
    ///   - localNode: the node; pods without a node name are local too. `nil`: `NodeCompiler.defaultNode`.
    ///   - allocator: the numbers given before, so that they stay.
    ///   - serviceSettings: which Services the node translates.
    public init(
        _ objects: ClusterObjects, policies lowered: [LoweredPolicy], localNode: String? = nil,
        allocator: IdentityAllocator = IdentityAllocator(),
        serviceSettings: ServiceSettings = ServiceSettings(mode: .translate)
    ) {
        self.init(
            objects, PolicyBook(objects, policies: lowered), localNode: localNode, ownAddresses: nil,
            allocator: allocator, serviceSettings: serviceSettings)
    }

    init(
        _ objects: ClusterObjects, _ book: PolicyBook, localNode: String?, ownAddresses: [IPAddress]?,
        allocator: IdentityAllocator, serviceSettings: ServiceSettings
    ) {
        let localNode = localNode ?? NodeCompiler.defaultNode(of: objects)
        self.localNode = localNode
        self.allocator = allocator
        self.ownAddresses = ownAddresses
        self.book = book
        localNetworks = objects.localNetworks
        sharedAddresses = SharedAddresses.all(of: objects.localNetworks)
        index = IdentityIndex(localNode: localNode)
        for (key, policies) in book.policies {
            for policy in policies { index.mention(policy) }
            _ = slots.install(policies, of: key, in: &index)
        }
        for namespace in objects.namespaces { namespaces[namespace.metadata.name] = namespace }
        for node in objects.nodes { nodes[node.metadata.name] = node }
        names = objects.names
        services = ServiceTable(
            ServiceResolver(objects, localNode: localNode, room: serviceSettings.room), serviceSettings)
        observed = ObservedServices()
        index.add(objects)
        if ownAddresses != nil {
            index.setNode(localNode, localNodeObject)
            services.resolver.set(node: localNode, localNodeObject)
        }
        _ = index.settle()
        addAll(objects.pods)
        enterAll()
        fillLists()
        let own = localAddresses
        _ = services.update(pods, own: own)
        observe()
        index.watchLiveness()
        sizeLimit = index.size * 2 + slack
    }

    /// Registers the pods of a cluster before anything is compiled: numbers then follow the sorted texts.
    private mutating func addAll(_ all: [Pod]) {
        var classes: [IdentityIndex.ClassID?] = []
        var local: Set<Int> = []
        var claimed: [(address: IPAddress, pod: Int)] = []
        classes.reserveCapacity(all.count)
        claimed.reserveCapacity(all.count)
        index.reserve(pods: all.count)
        // Through a span: to take a pod out of the list copies it.
        let list = all.span
        for number in list.indices {
            let podClass = podClass(of: list[number])
            classes.append(podClass)
            guard let podClass else { continue }
            if isLocal(list[number]) { local.insert(number) }
            for address in list[number].addresses { claimed.append((address, number)) }
            if list[number].addresses.isEmpty { index.retain(index.remote(of: podClass, at: nil)) }
        }
        pods = PodTable(all, classes: classes, local: local)
        claims = AddressClaims(claimed)
        claims.settleAll(pods, in: &index)
        let claims = claims
        index.assignNumbers(&allocator) { claims.settled }
    }

    private mutating func enterAll() {
        // By their texts: what is numbered on the way does not depend on the order of the objects.
        let classes = Dictionary(grouping: pods.local) { [pods] in pods.classes[$0] }
        let texts = classes.keys.map { (text: index.text(ofClass: $0), podClass: $0) }
        for (_, podClass) in texts.sorted(by: { $0.text < $1.text }) {
            for _ in classes[podClass] ?? [] { enter(podClass) }
        }
        compiled.compileWaiting(in: &index)
        _ = compiled.takeChanges()
    }

    /// A pod with its class.
    mutating func entry(of pod: Pod) -> PodTable.Entry {
        PodTable.Entry(pod: pod, podClass: podClass(of: pod), isLocal: isLocal(pod))
    }

    /// The class of a pod. A hostNetwork pod is its node's address, which the index knows; a finished one owns nothing.
    private mutating func podClass(of pod: Pod) -> IdentityIndex.ClassID? {
        pod.hostNetwork || pod.isFinished ? nil : index.podClass(of: pod)
    }

    private func isLocal(_ pod: Pod) -> Bool { pod.nodeName.isEmpty || pod.nodeName == localNode }

    /// The addresses of the local node.
    var localAddresses: Set<IPAddress> { Set(localNodeObject?.addresses ?? []) }

    /// The local Node object with the addresses that the node has besides.
    var localNodeObject: Node? {
        guard let ownAddresses else { return nodes[localNode] }
        var node = nodes[localNode] ?? Node(metadata: ObjectMeta(name: localNode), addresses: [])
        let known = Set(node.addresses)
        node.addresses += ownAddresses.filter { !known.contains($0) }
        return node
    }
}
