/// A list (or map) in a manifest: not written, written empty, or written with content. Policies mean different things
/// by the three (docs/spec/cilium-network-policy.md 4.5), so nothing collapses them.
public enum Presence<Value> {
    /// Not written, or `null`.
    case absent
    /// Written as `[]` or `{}`.
    case empty
    /// Written with content.
    case some(Value)

    /// The content, if there is any.
    public var value: Value? {
        if case .some(let value) = self { value } else { nil }
    }

    /// Whether the member was not written.
    public var isAbsent: Bool {
        if case .absent = self { true } else { false }
    }
}

extension Presence: Sendable where Value: Sendable {}
extension Presence: Equatable where Value: Equatable {}
extension Presence: Hashable where Value: Hashable {}
