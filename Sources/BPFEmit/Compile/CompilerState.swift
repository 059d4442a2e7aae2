public import NetTypes
public import PolicyAPI
public import PolicyIR

/// A node's image with everything needed to change it in place when a pod comes, goes or changes.
///
/// The image after any sequence of changes equals the one compiled from scratch with the same allocator. Policies,
/// namespaces, nodes, services and names are fixed: when one of them changes, compile again.
///
/// An address that two pods (or a pod and a node) claim belongs to neither: it gets identity 0, which no allow rule names and
/// every deny rule does, and neither pod may send from it. A diagnostic names the claimants.
public struct CompilerState: Sendable {
    /// A pod of the cluster that has an identity.
    struct PodEntry: Sendable {
        var pod: Pod
        var podClass: IdentityIndex.ClassID
        var isLocal: Bool
    }

    /// Pods that say an address is theirs.
    struct Claim: Sendable {
        /// Index in `pods`.
        var pod: Int32
        /// The pod's remote at the address; -1 while the address is contested.
        var remote: IdentityIndex.RemoteID
        /// The other pods.
        var others: [Int32] = []
    }

    /// A subject: a class of local pods.
    struct Subject: Sendable {
        var key: String
        var podClass: IdentityIndex.ClassID
        /// Indices in `policies`.
        var ingress: Int
        var egress: Int
        /// Local pods that are of it.
        var pods: Int
    }

    /// The name of the node whose pods are compiled.
    public let localNode: String
    /// The numbers given so far.
    public internal(set) var allocator: IdentityAllocator
    let lowered: [LoweredPolicy]
    var objects: ClusterObjects
    var index: IdentityIndex
    var selectors: SubjectIndex
    var workspace = PeersWorkspace()

    var pods: [PodEntry?] = []
    /// Pods by qualified name; made at the first change.
    var podNumbers: [String: Int32]?
    var claims: [IPAddress: Claim] = [:]

    var subjects: [Subject?] = []
    var subjectOfClass: [IdentityIndex.ClassID: Int] = [:]
    var policies: [DirectionPolicy] = []
    var policyNumbers: [DirectionPolicy.Key: Int] = [:]
    /// By term: the bits that ask for it, in policies that carry it for every remote the term matches.
    var users: [[TermUser]] = []
    /// Policies with egress rules that name ports.
    var namingPolicies: [Int] = []
    /// By policy that does not fit the limits: why.
    var failures: [Int: EmitError] = [:]

    /// A bit of a policy.
    struct TermUser: Sendable {
        var policy: Int
        var bit: Int
    }

    /// Compiles a cluster for one node.
    ///
    /// - Parameters:
    ///   - policies: `PolicyLowering.lower(objects, for: .enforcement).policies`.
    ///   - localNode: the node; pods without a node name are local too. `nil`: `NodeCompiler.defaultNode`.
    ///   - allocator: the numbers given before, so that they stay.
    public init(
        _ objects: ClusterObjects, policies lowered: [LoweredPolicy], localNode: String? = nil,
        allocator: IdentityAllocator = IdentityAllocator()
    ) {
        let localNode = localNode ?? NodeCompiler.defaultNode(of: objects)
        self.localNode = localNode
        self.allocator = allocator
        self.lowered = lowered
        self.objects = objects
        self.objects.pods = []
        var index = IdentityIndex(objects, policies: lowered, localNode: localNode)
        selectors = SubjectIndex(lowered, in: &index)
        self.index = index
        addAll(objects.pods)
        for number in pods.indices { enter(number) }
    }

    /// Registers the pods of a cluster before anything is compiled: numbers then follow the sorted texts.
    private mutating func addAll(_ all: [Pod]) {
        pods.reserveCapacity(all.count)
        claims.reserveCapacity(all.count * 2)
        for pod in all {
            // A hostNetwork pod is its node's address, which the index knows; a finished one owns nothing.
            if pod.hostNetwork {
                objects.pods.append(pod)
            } else if !pod.isFinished {
                let number = Int32(truncatingIfNeeded: pods.count)
                pods.append(PodEntry(pod: pod, podClass: index.podClass(of: pod), isLocal: isLocal(pod)))
                for address in pod.addresses { claim(address, for: number) }
            }
        }
        for entry in pods {
            guard let entry else { continue }
            if entry.pod.addresses.isEmpty { index.retain(index.remote(of: entry.podClass, at: nil)) }
            for address in entry.pod.addresses { settle(address) }
        }
        let settled = claims
        index.assignNumbers(&allocator) {
            settled.filter { $0.value.remote >= 0 }.map { ($0.key, $0.value.remote) }
        }
    }

    func isLocal(_ pod: Pod) -> Bool { pod.nodeName.isEmpty || pod.nodeName == localNode }

    /// Notes that a pod says an address is its own.
    mutating func claim(_ address: IPAddress, for pod: Int32) {
        guard let known = claims[address] else {
            claims[address] = Claim(pod: pod, remote: -1)
            return
        }
        // A pod may write its address twice.
        if known.pod != pod, !known.others.contains(pod) { claims[address]?.others.append(pod) }
    }

    /// Gives an address that one pod claims, and no node has, the pod's remote. Returns the remote, if it does.
    @discardableResult
    mutating func settle(_ address: IPAddress) -> IdentityIndex.RemoteID? {
        guard let claim = claims[address], claim.remote < 0, claim.others.isEmpty,
            let entry = pods[Int(claim.pod)], index.nodeEntries[address] == nil
        else { return nil }
        let remote = index.remote(of: entry.podClass, at: address)
        claims[address]?.remote = remote
        index.retain(remote)
        return remote
    }

    /// The identity of an address inside the cluster; `nil` for one that nobody there claims.
    public func identity(of address: IPAddress) -> UInt32? {
        if let claim = claims[address] {
            return claim.remote < 0 ? ReservedIdentity.unknown.rawValue : index.number(of: claim.remote)
        }
        return index.nodeEntries[address].map { index.number(of: $0) }
    }

    /// The identity of a pod at one of its addresses, or without one; `nil` for a pod that has none.
    public mutating func identity(ofPod namespace: String, _ name: String, at address: IPAddress? = nil) -> UInt32? {
        guard let number = podNumber("\(namespace)/\(name)"), let entry = pods[number] else { return nil }
        if let address { return identity(of: address) }
        if let first = entry.pod.addresses.first { return identity(of: first) }
        return index.number(of: index.remote(of: entry.podClass, at: nil))
    }

    /// The index of a pod by its qualified name.
    mutating func podNumber(_ name: String) -> Int? {
        if podNumbers == nil {
            var numbers: [String: Int32] = [:]
            for (number, entry) in pods.enumerated() {
                if let entry { numbers[entry.pod.qualifiedName] = Int32(truncatingIfNeeded: number) }
            }
            podNumbers = numbers
        }
        return podNumbers?[name].map { Int($0) }
    }
}
