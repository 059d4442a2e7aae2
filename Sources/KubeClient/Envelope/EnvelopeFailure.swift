/// An answer of the API server that is not what it should be: cut off, or no JSON.
public struct EnvelopeFailure: Error, Hashable, CustomStringConvertible {
    /// What was expected and where, in words.
    public let description: String

    /// A failure.
    public init(_ description: String) {
        self.description = description
    }
}
