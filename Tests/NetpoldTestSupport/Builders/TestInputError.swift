/// A test has given a helper an input that it cannot read.
public struct TestInputError: Error, CustomStringConvertible {
    /// Which input.
    public let description: String

    /// An error about an input.
    init(_ description: String) { self.description = description }
}
