/// An element of an object with its path and location.
public struct Located<Value> {
    /// The element.
    public var value: Value
    /// Its path in the object, for example `spec.ingress[0].toPorts[0].rules.http[1]`.
    public var path: String
    /// Its location in a file, `nil` for an object that is not from a file.
    public var location: SourceLocation?

    /// An element at a path and location.
    public init(_ value: Value, path: String = "", location: SourceLocation? = nil) {
        self.value = value
        self.path = path
        self.location = location
    }

    /// An element of a document.
    init(_ value: Value, at node: DocumentNode) {
        self.init(value, path: node.path.description, location: node.location)
    }
}

extension Located: Equatable where Value: Equatable {}
extension Located: Hashable where Value: Hashable {}
extension Located: Sendable where Value: Sendable {}
