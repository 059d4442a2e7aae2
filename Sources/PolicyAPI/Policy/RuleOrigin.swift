/// The object, path and location that a rule, an isolation or a diagnostic comes from.
public struct RuleOrigin: Hashable, Sendable {
    /// The object's kind, for example `NetworkPolicy`.
    public var kind: String
    /// The object's namespace, empty for cluster-scoped kinds.
    public var namespace: String
    /// The object's name.
    public var name: String
    /// Path inside the object, for example `spec.ingress[0].toPorts[1]`.
    public var path: String
    /// The location of that path, `nil` for an object that is not from a file.
    public var location: SourceLocation?
    /// Whether the object was refused, and this is what is enforced instead.
    public var isRefused: Bool
    /// The optional name of the rule (ClusterNetworkPolicy); empty for none.
    public var ruleName = ""

    /// An origin.
    public init(
        kind: String, namespace: String, name: String, path: String, location: SourceLocation? = nil,
        isRefused: Bool = false
    ) {
        self.kind = kind
        self.namespace = namespace
        self.name = name
        self.path = path
        self.location = location
        self.isRefused = isRefused
    }
}

extension RuleOrigin {
    /// Whether both are parts of one object.
    public func isSameObject(as other: RuleOrigin) -> Bool {
        name == other.name && namespace == other.namespace && kind == other.kind
    }
}

extension RuleOrigin: CustomStringConvertible {
    /// `NetworkPolicy shop/allow-web spec.ingress[0] (policy.yaml:12:5)`; a named rule has its name in quotes after the path, and a
    /// refused object is marked.
    public var description: String {
        let object = namespace.isEmpty ? "\(kind) \(name)" : "\(kind) \(namespace)/\(name)"
        let place = location.map { " (\($0))" } ?? ""
        let refused = isRefused ? ", refused because of its errors" : ""
        // Free text: quoted and escaped.
        let named = ruleName.isEmpty ? "" : " \(ruleName.debugDescription)"
        return (path.isEmpty ? object : "\(object) \(path)\(named)") + place + refused
    }
}

extension RuleOrigin: Comparable {
    /// By kind, namespace, name, then location, then path: the order in which rules of one precedence are numbered.
    public static func < (left: RuleOrigin, right: RuleOrigin) -> Bool {
        if (left.kind, left.namespace, left.name) != (right.kind, right.namespace, right.name) {
            return (left.kind, left.namespace, left.name) < (right.kind, right.namespace, right.name)
        }
        if let here = left.location, let there = right.location, here != there { return here < there }
        return left.path < right.path
    }
}
