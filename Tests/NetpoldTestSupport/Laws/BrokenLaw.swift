/// A law that an input breaks, in words.
public struct BrokenLaw: Error, CustomStringConvertible {
    /// Which law, and what shows it.
    public let description: String

    /// A broken law.
    public init(_ description: String) { self.description = description }

    /// Throws unless a law holds.
    static func unless(_ holds: Bool, _ description: @autoclosure () -> String) throws(BrokenLaw) {
        if !holds { throw BrokenLaw(description()) }
    }
}
