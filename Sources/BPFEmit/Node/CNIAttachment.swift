public import NetTypes

/// What the container runtime noted when it had attached a container to a network: one interface of one namespace.
public struct CNIAttachment: Hashable, Sendable {
    /// Who wrote it.
    public enum Source: Hashable, Sendable {
        /// netpold's own plugin, called by the runtime for each pod.
        case netpold
        /// libcni's result cache.
        case libcni
    }

    /// An interface that the plugins made on the host's side.
    public struct HostInterface: Hashable, Sendable {
        /// Its name.
        public var name: String
        /// Its Ethernet address in lower case, or empty.
        public var mac: String

        /// An interface.
        public init(name: String, mac: String) {
            self.name = name
            self.mac = mac
        }
    }

    /// Who wrote it.
    public var source: Source
    /// The file it was read from.
    public var file: String
    /// The runtime's number for the container (the pod's sandbox), or empty.
    public var containerID: String
    /// The interface's name inside, for example `eth0`.
    public var interface: String
    /// The pod; all empty when the note does not say.
    public var pod: PodReference
    /// The path of the namespace, or empty.
    public var netns: String
    /// Inode of the namespace that is at the path now; `nil` when there is none, or when the path may stand for another
    /// one by now.
    public var namespace: UInt64?
    /// Interfaces on the host's side, sorted by name.
    public var hostInterfaces: [HostInterface]
    /// The addresses given to the interface, sorted.
    public var addresses: [IPAddress]

    /// A note.
    public init(
        source: Source, file: String, containerID: String = "", interface: String, pod: PodReference,
        netns: String = "", namespace: UInt64? = nil, hostInterfaces: [HostInterface] = [],
        addresses: [IPAddress] = []
    ) {
        self.source = source
        self.file = file
        self.containerID = containerID
        self.interface = interface
        self.pod = pod
        self.netns = netns
        self.namespace = namespace
        self.hostInterfaces = hostInterfaces
        self.addresses = addresses
    }
}

/// What is known of which pod it is. Empty parts are unknown.
public struct PodReference: Hashable, Codable, Sendable {
    /// Namespace.
    public var namespace: String
    /// Name.
    public var name: String
    /// UID, as Kubernetes writes it.
    public var uid: String

    /// A reference.
    public init(namespace: String = "", name: String = "", uid: String = "") {
        self.namespace = namespace
        self.name = name
        self.uid = uid
    }

    /// Whether it says nothing.
    public var isEmpty: Bool { name.isEmpty && uid.isEmpty }
}

extension PodReference: CustomStringConvertible {
    /// `namespace/name (uid)`, as far as known.
    public var description: String {
        switch (name.isEmpty, uid.isEmpty) {
        case (false, false): "\(namespace)/\(name) (UID \(uid))"
        case (false, true): "\(namespace)/\(name)"
        case (true, false): "UID \(uid)"
        case (true, true): "unknown"
        }
    }
}
