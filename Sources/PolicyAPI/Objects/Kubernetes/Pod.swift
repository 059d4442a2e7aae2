public import NetTypes

/// A named or numbered port of a container (native sidecars included).
public struct ContainerPort: Hashable, Sendable {
    /// The name, empty for none.
    public var name: String
    /// TCP, UDP or SCTP.
    public var `protocol`: L4Protocol
    /// The port number.
    public var port: UInt16

    /// A container port.
    public init(name: String, protocol: L4Protocol, port: UInt16) {
        self.name = name
        self.protocol = `protocol`
        self.port = port
    }
}

/// The fields of a v1 Pod that policies use.
///
/// A value of one pointer: an agent knows each pod of the cluster in several tables, and all of them share what they know of it. The
/// getters are inlined: otherwise other modules copy all of `metadata` to read a name.
public struct Pod: Hashable, Sendable {
    @usableFromInline var storage: Storage

    /// A pod.
    public init(
        metadata: ObjectMeta, nodeName: String = "", serviceAccount: String = "default", hostNetwork: Bool = false,
        ports: [ContainerPort] = [], addresses: [IPAddress] = [], phase: String = "Running"
    ) {
        storage = Storage(
            Content(
                metadata: metadata, nodeName: nodeName, serviceAccount: serviceAccount, phase: phase, ports: ports,
                addresses: addresses, owners: [], hostNetwork: hostNetwork, isReady: true, isTerminating: false,
                isSynthetic: false))
    }

    /// Name, namespace and labels.
    public var metadata: ObjectMeta {
        @inlinable get { storage.content.metadata }
        set { change { $0.metadata = newValue } }
    }

    /// `spec.nodeName`.
    public var nodeName: String {
        @inlinable get { storage.content.nodeName }
        set { change { $0.nodeName = newValue } }
    }

    /// `spec.serviceAccountName`, `default` when absent.
    public var serviceAccount: String {
        @inlinable get { storage.content.serviceAccount }
        set { change { $0.serviceAccount = newValue } }
    }

    /// `spec.hostNetwork`: such a pod has its node's address and is neither a subject nor a pod peer.
    public var hostNetwork: Bool {
        @inlinable get { storage.content.hostNetwork }
        set { change { $0.hostNetwork = newValue } }
    }

    /// Ports of all containers and native sidecars, in order.
    public var ports: [ContainerPort] {
        @inlinable get { storage.content.ports }
        set { change { $0.ports = newValue } }
    }

    /// `status.podIPs`: at most one per family.
    public var addresses: [IPAddress] {
        @inlinable get { storage.content.addresses }
        set { change { $0.addresses = newValue } }
    }

    /// `status.phase`; a `Succeeded` or `Failed` pod owns no address.
    public var phase: String {
        @inlinable get { storage.content.phase }
        set { change { $0.phase = newValue } }
    }

    /// `metadata.ownerReferences`.
    public var owners: [ObjectOwner] {
        @inlinable get { storage.content.owners }
        set { change { $0.owners = newValue } }
    }

    /// Whether it is ready, by `status.conditions`; true where nothing says so. Policies do not ask, Services do.
    public var isReady: Bool {
        @inlinable get { storage.content.isReady }
        set { change { $0.isReady = newValue } }
    }

    /// Whether it is being deleted (`metadata.deletionTimestamp`).
    public var isTerminating: Bool {
        @inlinable get { storage.content.isTerminating }
        set { change { $0.isTerminating = newValue } }
    }

    /// Whether netpold has generated the pod for its workload, or its addresses because the manifest has none.
    public var isSynthetic: Bool {
        @inlinable get { storage.content.isSynthetic }
        set { change { $0.isSynthetic = newValue } }
    }

    /// Whether the pod has terminated: its address may belong to another pod by now.
    public var isFinished: Bool { phase == "Succeeded" || phase == "Failed" }

    /// Whether policies see no difference to another version of the pod: only its readiness differs, if anything.
    public func hasEqualPolicies(_ other: Pod) -> Bool {
        var content = other.storage.content
        content.isReady = isReady
        content.isTerminating = isTerminating
        return storage.content == content
    }

    /// `namespace/name`.
    public var qualifiedName: String { "\(metadata.namespace)/\(metadata.name)" }

    /// Whether two pods are equal. Those that share their fields are without a look at them.
    public static func == (left: Pod, right: Pod) -> Bool {
        left.storage === right.storage || left.storage.content == right.storage.content
    }

    /// Hashes the fields.
    public func hash(into hasher: inout Hasher) { storage.content.hash(into: &hasher) }
}

extension Pod {
    @usableFromInline struct Content: Hashable, Sendable {
        @usableFromInline var metadata: ObjectMeta
        @usableFromInline var nodeName: String
        @usableFromInline var serviceAccount: String
        @usableFromInline var phase: String
        @usableFromInline var ports: [ContainerPort]
        @usableFromInline var addresses: [IPAddress]
        @usableFromInline var owners: [ObjectOwner]
        @usableFromInline var hostNetwork: Bool
        @usableFromInline var isReady: Bool
        @usableFromInline var isTerminating: Bool
        @usableFromInline var isSynthetic: Bool
    }

    /// Sendable: only `change` writes, and only what no other value holds.
    @usableFromInline final class Storage: @unchecked Sendable {
        @usableFromInline var content: Content

        init(_ content: Content) { self.content = content }
    }

    private mutating func change(_ body: (inout Content) -> Void) {
        if !isKnownUniquelyReferenced(&storage) { storage = Storage(storage.content) }
        body(&storage.content)
    }
}
