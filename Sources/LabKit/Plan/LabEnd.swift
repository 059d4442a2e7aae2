public import NetTypes

/// Who takes part in a lab.
public enum LabEnd: Hashable, Sendable {
    /// A pod, by its index in `LabPlan.pods`.
    case pod(Int)
    /// A node itself, by its index in `LabPlan.nodes`.
    case node(Int)
    /// An address outside, by its index in `LabPlan.outside`.
    case outside(Int)
}

extension LabEnd {
    /// Whether policies are enforced at this end.
    var isPod: Bool {
        if case .pod = self { true } else { false }
    }
}

/// A node of a lab.
public struct LabNode: Hashable, Sendable, Codable {
    /// How many nodes a lab has at most.
    public static let limit = 8

    /// Its name in the manifests.
    public var name: String
    /// Its addresses as text, from the manifest or given by the lab.
    public var addresses: [String]

    /// The addresses.
    public var ipAddresses: [IPAddress] { addresses.compactMap { IPAddress(parsing: $0) } }
}

/// A pod of a lab.
public struct LabPod: Hashable, Sendable, Codable {
    /// Its namespace.
    public var namespace: String
    /// Its name.
    public var name: String
    /// File name of its network namespace: `namespace_name`.
    public var attachment: String
    /// Name of its veth in the node's namespace.
    public var nodeInterface: String
    /// Its addresses as text, from the manifest or given by the lab.
    public var addresses: [String]
    /// Its node, by index in `LabPlan.nodes`.
    public var node: Int

    /// `namespace/name`.
    public var qualifiedName: String { "\(namespace)/\(name)" }
    /// The addresses.
    public var ipAddresses: [IPAddress] { addresses.compactMap { IPAddress(parsing: $0) } }
}

/// An address outside the cluster that probes come from and go to.
public struct LabOutside: Hashable, Sendable {
    /// The address.
    public var address: IPAddress
    /// What it stands for: the narrowest prefix that holds it, or that none does.
    public var label: String
}
