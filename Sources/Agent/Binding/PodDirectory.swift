import BPFEmit
import NetTypes
import PolicyAPI

/// The Pod objects, findable by everything that evidence may say of a pod. All updates take constant time.
struct PodDirectory: Sendable {
    private(set) var pods: [String: Pod] = [:]
    private var namesByUID: [String: FewNames] = [:]
    private var namesByStaticUID: [String: FewNames] = [:]
    private var namesByNode: [String: Set<String>] = [:]
    /// Live pods with a network of their own, by address.
    private var namesByAddress: [IPAddress: FewNames] = [:]

    /// The pod of a `namespace/name`.
    subscript(name: String) -> Pod? { pods[name] }

    /// Takes a pod in place of the one of its name; returns that one.
    @discardableResult
    mutating func set(_ pod: Pod) -> Pod? {
        let old = remove(pod.qualifiedName)
        let name = pod.qualifiedName
        pods[name] = pod
        if !pod.metadata.uid.isEmpty { namesByUID[pod.metadata.uid, default: FewNames()].insert(name) }
        for uid in pod.staticUIDs { namesByStaticUID[uid, default: FewNames()].insert(name) }
        namesByNode[pod.nodeName, default: []].insert(name)
        if pod.ownsAddresses {
            for address in pod.addresses { namesByAddress[address, default: FewNames()].insert(name) }
        }
        return old
    }

    /// Forgets a pod; returns it.
    @discardableResult
    mutating func remove(_ name: String) -> Pod? {
        guard let pod = pods.removeValue(forKey: name) else { return nil }
        namesByUID.remove(name, of: pod.metadata.uid)
        for uid in pod.staticUIDs { namesByStaticUID.remove(name, of: uid) }
        namesByNode.remove(name, of: pod.nodeName)
        for address in pod.addresses { namesByAddress.remove(name, of: address) }
        return pod
    }

    /// The pods that have a UID, by name. More than one is an error of whoever made the objects.
    func names(withUID uid: String) -> Set<String> { namesByUID[uid]?.all ?? [] }

    /// The names of pods whose annotations make them the mirror of the referenced static pod, and whose namespace and name agree with
    /// the reference.
    func mirrors(of reference: PodReference) -> Set<String> {
        (namesByStaticUID[reference.uid]?.all ?? []).filter { pods[$0]?.agrees(with: reference) == true }
    }

    /// The pods that name a node (empty: none), by name.
    func names(onNode node: String) -> Set<String> { namesByNode[node] ?? [] }

    /// Whether a pod names a node.
    func namesNode(_ node: String) -> Bool { namesByNode[node] != nil }

    /// Whether pods name nodes at all.
    var namesNodes: Bool { namesByNode.keys.contains { !$0.isEmpty } }

    /// The live pods that claim an address, by name.
    func owners(of address: IPAddress) -> Set<String> { namesByAddress[address]?.all ?? [] }
}

/// Names of pods, nearly always one: a set of one takes a hundred bytes more.
private struct FewNames: Sendable {
    private var first: String?
    /// None while there is at most one name.
    private var others: Set<String>?

    var isEmpty: Bool { first == nil }
    var all: Set<String> { (others ?? []).union(first.map { [$0] } ?? []) }

    mutating func insert(_ name: String) {
        guard let first, first != name else {
            first = name
            return
        }
        others = (others ?? []).union([name])
    }

    mutating func remove(_ name: String) {
        if first == name {
            first = others?.first
            if let first { others?.remove(first) }
        } else {
            others?.remove(name)
        }
        if others?.isEmpty == true { others = nil }
    }
}

extension Dictionary where Value == FewNames {
    fileprivate mutating func remove(_ name: String, of key: Key) {
        self[key]?.remove(name)
        if self[key]?.isEmpty == true { self[key] = nil }
    }
}

extension Dictionary where Value == Set<String> {
    fileprivate mutating func remove(_ name: String, of key: Key) {
        self[key]?.remove(name)
        if self[key]?.isEmpty == true { self[key] = nil }
    }
}

extension Pod {
    /// The UIDs under which the runtime may know the pod as the object says, if it is the mirror of a static pod. Such a one runs under
    /// the hash of its manifest; the API server gives its mirror a UID of its own and keeps the hash in an annotation.
    ///
    /// Whoever may make pods may write that annotation. So it says nothing beside a pod that has the UID, and of a pod of another name
    /// nothing but what no API server gives (`isKnown`).
    var staticUIDs: Set<String> {
        let hashes = ["kubernetes.io/config.mirror", "kubernetes.io/config.hash"].compactMap {
            metadata.annotations[$0]
        }
        return Set(hashes).subtracting(["", metadata.uid])
    }

    /// Whether a process that the host knows only by a UID may be the pod's.
    func isKnown(by uid: String) -> Bool {
        !uid.isEmpty && (metadata.uid == uid || staticUIDs.contains(uid) && !uid.isOfAPIServer)
    }

    /// Whether the pod is live and has a network of its own.
    var ownsAddresses: Bool { !isFinished && !hostNetwork }

    /// Whether two values may speak of the same pod: a pod made again under the same name has another UID, but for the mirror of a
    /// static pod.
    func isSame(as other: Pod) -> Bool {
        if metadata.uid == other.metadata.uid, !metadata.uid.isEmpty { return true }
        guard qualifiedName == other.qualifiedName else { return false }
        return metadata.uid.isEmpty || other.metadata.uid.isEmpty || !staticUIDs.isDisjoint(with: other.staticUIDs)
    }

    /// Whether a reference may speak of this pod: nothing that both know differs.
    func agrees(with reference: PodReference) -> Bool {
        let isOfName = qualifiedName == "\(reference.namespace)/\(reference.name)"
        if !reference.uid.isEmpty, !metadata.uid.isEmpty {
            if reference.name.isEmpty { return isKnown(by: reference.uid) }
            return metadata.uid == reference.uid || isOfName && staticUIDs.contains(reference.uid)
        }
        return reference.name.isEmpty || isOfName
    }
}

extension String {
    /// Whether a UID has the form of those that the API server gives (RFC 9562 4). Hashes of manifests have another.
    fileprivate var isOfAPIServer: Bool {
        let parts = split(separator: "-", omittingEmptySubsequences: false)
        return parts.map(\.utf8.count) == [8, 4, 4, 4, 12] && parts.joined().utf8.allSatisfy(\.isHexDigit)
    }
}

extension UInt8 {
    fileprivate var isHexDigit: Bool {
        switch self {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"),
            UInt8(ascii: "A")...UInt8(ascii: "F"):
            true
        default: false
        }
    }
}
