/// How people name a policy.
public struct PolicyName: Hashable, Codable, Sendable {
    /// The kind, as manifests write it; `nil` for any.
    public var kind: String?
    /// The namespace; empty for cluster-scoped kinds.
    public var namespace: String
    /// The name.
    public var name: String

    /// A name.
    public init(kind: String? = nil, namespace: String, name: String) {
        self.kind = kind
        self.namespace = namespace
        self.name = name
    }

    /// `NAMESPACE/NAME`, `NAME` for cluster-scoped kinds, `KIND/NAMESPACE/NAME` or `KIND/NAME` where several kinds have it;
    /// `nil` for anything else. Kinds have upper-case letters, namespaces have none.
    public init?(parsing text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard parts.allSatisfy({ !$0.isEmpty && $0.utf8.count <= 253 }) else { return nil }
        let kind = PolicyName.kind(parts[0])
        switch (parts.count, kind) {
        case (1, _): self.init(namespace: "", name: parts[0])
        case (2, let kind?):
            guard kind.isClusterScoped else { return nil }
            self.init(kind: kind.rawValue, namespace: "", name: parts[1])
        case (2, nil): self.init(namespace: parts[0], name: parts[1])
        case (3, let kind?):
            guard !kind.isClusterScoped else { return nil }
            self.init(kind: kind.rawValue, namespace: parts[1], name: parts[2])
        default: return nil
        }
    }

    /// The policies that it may mean, one for each kind.
    var keys: [ObjectKey] {
        ObjectKind.allCases.filter {
            $0.isPolicy && $0.isClusterScoped == namespace.isEmpty && (kind == nil || $0.rawValue == kind)
        }.map { ObjectKey(kind: $0.rawValue, namespace: namespace, name: name) }
    }

    private static func kind(_ text: String) -> ObjectKind? {
        ObjectKind(rawValue: text).flatMap { $0.isPolicy ? $0 : nil }
    }

    private enum CodingKeys: String, CodingKey {
        case kind = "kind"
        case namespace = "namespace"
        case name = "name"
    }
}

extension PolicyName: CustomStringConvertible {
    /// As `init(parsing:)` reads it.
    public var description: String {
        [kind, namespace.isEmpty ? nil : namespace, name].compactMap(\.self).joined(separator: "/")
    }
}
