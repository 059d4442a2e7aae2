/// What the plugin needs of the machine and of the agent.
public protocol CNIHost {
    /// The host's interfaces that lead into the namespace at a path, and whether packets over the pod's interface of that name
    /// pass one of them.
    ///
    /// - Throws: when the namespace cannot be looked at.
    func links(into namespace: String, interface: String) throws -> CNIHostLinks
    /// Closes an interface in both directions, unless programs of the instance are there already.
    ///
    /// - Throws: when the kernel refuses; the interface is then open.
    func close(_ link: CNIHostLink, _ configuration: CNIConfiguration) throws
    /// Whether both directions of an interface have a program of the instance, or are closed.
    func isDecided(_ link: CNIHostLink, _ configuration: CNIConfiguration) throws -> Bool
    /// Waits until the agent has the pod's policies in force at these interfaces.
    func admit(_ pod: CNIPod, links: [CNIHostLink], _ configuration: CNIConfiguration, seconds: Int) -> CNIAdmission
    /// Whether an agent answers; why not, in words.
    func unavailability(_ configuration: CNIConfiguration) -> String?
    /// Forgets what was closed at interfaces that are gone.
    func sweep(_ configuration: CNIConfiguration) throws
}

/// An end of a veth pair on the host.
public struct CNIHostLink: Hashable, Sendable {
    /// Its number.
    public let ifindex: UInt32
    /// Its name.
    public let name: String

    /// A link.
    public init(ifindex: UInt32, name: String) {
        self.ifindex = ifindex
        self.name = name
    }
}

/// What leads into a namespace.
public struct CNIHostLinks: Hashable, Sendable {
    /// The host's ends of veth pairs.
    public let veths: [CNIHostLink]
    /// Why packets of the interface asked about pass none of them, in words; `nil` when they do.
    public let goesAround: String?

    /// Links.
    public init(veths: [CNIHostLink], goesAround: String?) {
        self.veths = veths
        self.goesAround = goesAround
    }
}

/// The pod that a container is of, as the runtime says. Parts may be empty.
public struct CNIPod: Hashable, Sendable {
    /// Its namespace.
    public let namespace: String
    /// Its name.
    public let name: String
    /// Its UID.
    public let uid: String

    /// Reads it from the arguments of an invocation.
    public init(_ invocation: CNIInvocation) {
        namespace = invocation.argument("K8S_POD_NAMESPACE")
        name = invocation.argument("K8S_POD_NAME")
        uid = invocation.argument("K8S_POD_UID")
    }
}

/// What became of waiting for the agent.
public enum CNIAdmission: Hashable, Sendable {
    /// The pod's policies are in force.
    case inForce
    /// They were not in time, for this reason.
    case late(String)
}
