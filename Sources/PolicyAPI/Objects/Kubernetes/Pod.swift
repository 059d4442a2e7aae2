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
public struct Pod: Hashable, Sendable {
    /// Name, namespace and labels.
    public var metadata: ObjectMeta
    /// `spec.nodeName`.
    public var nodeName: String
    /// `spec.serviceAccountName`, `default` when absent.
    public var serviceAccount: String
    /// `spec.hostNetwork`: such a pod has its node's address and is neither a subject nor a pod peer.
    public var hostNetwork: Bool
    /// Ports of all containers and native sidecars, in order.
    public var ports: [ContainerPort]
    /// `status.podIPs`: at most one per family.
    public var addresses: [IPAddress]
    /// `status.phase`; a `Succeeded` or `Failed` pod owns no address.
    public var phase: String
    /// `metadata.ownerReferences`.
    public var owners: [ObjectOwner] = []
    /// Whether it is ready, by `status.conditions`; true where nothing says so. Policies do not ask, Services do.
    public var isReady = true
    /// Whether it is being deleted (`metadata.deletionTimestamp`).
    public var isTerminating = false
    /// Whether netpold has generated the pod for its workload, or its addresses because the manifest has none.
    public var isSynthetic = false

    /// A pod.
    public init(
        metadata: ObjectMeta, nodeName: String = "", serviceAccount: String = "default", hostNetwork: Bool = false,
        ports: [ContainerPort] = [], addresses: [IPAddress] = [], phase: String = "Running"
    ) {
        self.metadata = metadata
        self.nodeName = nodeName
        self.serviceAccount = serviceAccount
        self.hostNetwork = hostNetwork
        self.ports = ports
        self.addresses = addresses
        self.phase = phase
    }

    /// Whether the pod has terminated: its address may belong to another pod by now.
    public var isFinished: Bool { phase == "Succeeded" || phase == "Failed" }

    /// Whether policies see no difference to another version of the pod: only its readiness differs, if anything.
    public func hasEqualPolicies(_ other: Pod) -> Bool {
        var other = other
        other.isReady = isReady
        other.isTerminating = isTerminating
        return self == other
    }

    /// `namespace/name`.
    public var qualifiedName: String { "\(metadata.namespace)/\(metadata.name)" }
}
