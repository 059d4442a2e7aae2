/// One condition of a selector: a key, an operator, values.
public struct LabelRequirement: Hashable, Sendable {
    /// How the label under `key` must relate to `values`.
    public enum Operator: String, Hashable, Sendable {
        /// Present, and its value is one of `values`.
        case isIn = "In"
        /// Absent, or its value is not one of `values`.
        case notIn = "NotIn"
        /// Present.
        case exists = "Exists"
        /// Absent.
        case doesNotExist = "DoesNotExist"
    }

    /// The label source of a Cilium selector (`k8s`, `reserved`, `any`, ...); `any` for a key without one. Kubernetes
    /// selectors always have `any`.
    public var source: String
    /// The label key, without source.
    public var key: String
    /// The operator.
    public var `operator`: Operator
    /// The values of `In` and `NotIn`, as written.
    public var values: [String]
    /// Where the condition is written.
    public var location: SourceLocation?

    /// A condition.
    public init(
        source: String = "any", key: String, operator: Operator, values: [String] = [],
        location: SourceLocation? = nil
    ) {
        self.source = source
        self.key = key
        self.operator = `operator`
        self.values = values
        self.location = location
    }

    /// Whether a value (`nil` = label absent) satisfies the condition.
    public func accepts(_ value: String?) -> Bool {
        switch `operator` {
        case .isIn: value.map(values.contains) ?? false
        case .notIn: value.map { !values.contains($0) } ?? true
        case .exists: value != nil
        case .doesNotExist: value == nil
        }
    }
}

/// A label selector: all requirements must hold. Without requirements it matches everything.
///
/// `matchLabels: {k: v}` is held as `k In [v]`.
public struct LabelSelector: Hashable, Sendable {
    /// The conditions, `matchLabels` first (sorted by key), then `matchExpressions` in order.
    public var requirements: [LabelRequirement]
    /// Where the selector is written.
    public var location: SourceLocation?

    /// A selector of these conditions.
    public init(_ requirements: [LabelRequirement] = [], location: SourceLocation? = nil) {
        self.requirements = requirements
        self.location = location
    }

    /// Whether plain Kubernetes labels satisfy every condition.
    public func matches(_ labels: [String: String]) -> Bool {
        requirements.allSatisfy { $0.accepts(labels[$0.key]) }
    }
}
