public import NetTypes

/// What the host knows of its interfaces and of the network namespaces behind them, at one moment: everything from which the
/// agent concludes which interface is which pod. Lists are sorted, so that equal states give equal values.
public struct HostEvidence: Hashable, Sendable {
    /// Which host it is about.
    public var host: HostIdentity
    /// The interfaces of the agent's own namespace whose other end is in another one, by number. Complete: what is not
    /// listed does not exist.
    public var links: [HostLink]
    /// The other network namespaces found, by inode.
    public var namespaces: [NamespaceEvidence]
    /// What the container runtime noted about the interfaces it had made, by file.
    public var attachments: [CNIAttachment]
    /// Routes to single addresses straight out of an interface, by address.
    public var routes: [HostRoute]
    /// What could not be read, and why.
    public var problems: [EvidenceProblem]
    /// Every address of the agent's own namespace, sorted: those of its interfaces, and those that its local routes give it.
    public var addresses: [IPAddress]
    /// The networks of those addresses, without host bits, sorted: the host answers at some of their addresses besides its own.
    public var networks: [IPPrefix]
    /// Of each of `links` that is enslaved to another interface (bridge, VRF), that one, its own master, and so on.
    public var masters: [UInt32: [UInt32]]

    /// Evidence.
    public init(
        host: HostIdentity, links: [HostLink] = [], namespaces: [NamespaceEvidence] = [],
        attachments: [CNIAttachment] = [], routes: [HostRoute] = [], problems: [EvidenceProblem] = [],
        addresses: [IPAddress] = [], networks: [IPPrefix] = [], masters: [UInt32: [UInt32]] = [:]
    ) {
        self.host = host
        self.links = links
        self.namespaces = namespaces
        self.attachments = attachments
        self.routes = routes
        self.problems = problems
        self.addresses = addresses
        self.networks = networks
        self.masters = masters
    }
}

/// Tells one life of one host from another: interface numbers mean something only within it.
public struct HostIdentity: Hashable, Codable, Sendable {
    /// `/proc/sys/kernel/random/boot_id`.
    public var bootID: String
    /// Inode of the agent's own network namespace.
    public var namespace: UInt64

    /// An identity.
    public init(bootID: String, namespace: UInt64) {
        self.bootID = bootID
        self.namespace = namespace
    }
}

/// A route of the host to one address, straight out of an interface. Routes that the host learnt from the network (router
/// advertisements, redirects) are none: whoever is behind the interface can send those.
public struct HostRoute: Hashable, Sendable {
    /// The destination.
    public var address: IPAddress
    /// The interface.
    public var ifindex: UInt32

    /// A route.
    public init(address: IPAddress, ifindex: UInt32) {
        self.address = address
        self.ifindex = ifindex
    }
}

/// Evidence that could not be read.
public struct EvidenceProblem: Hashable, Sendable {
    /// What it means for what is known.
    public enum Kind: String, Hashable, Sendable, CaseIterable {
        /// A network namespace, processes or a folder could not be looked at: there may be pods that are not known of.
        case unreadable
        /// A file is not what files in its place are, or a local route is not for one address; it was left out.
        case ignored
    }

    /// The kind.
    public var kind: Kind
    /// Which: a path.
    public var subject: String
    /// Why, in words.
    public var reason: String

    /// A problem.
    public init(kind: Kind, subject: String, reason: String) {
        self.kind = kind
        self.subject = subject
        self.reason = reason
    }
}
