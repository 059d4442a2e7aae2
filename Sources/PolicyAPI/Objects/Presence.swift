/// A list (or map) in a manifest: absent, empty, or with content. The three have different meanings in policies
/// (docs/spec/cilium-network-policy.md 4.5).
public enum Presence<Value> {
    /// Absent, or `null`.
    case absent
    /// `[]` or `{}`.
    case empty
    /// With content.
    case some(Value)

    /// The content, if any.
    public var value: Value? {
        if case .some(let value) = self { value } else { nil }
    }

    /// Whether the field is absent.
    public var isAbsent: Bool {
        if case .absent = self { true } else { false }
    }
}

extension Presence: Sendable where Value: Sendable {}
extension Presence: Equatable where Value: Equatable {}
extension Presence: Hashable where Value: Hashable {}
