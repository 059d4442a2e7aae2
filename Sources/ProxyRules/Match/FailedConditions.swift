/// Which conditions of a rule a request fails.
public struct FailedConditions: OptionSet, Hashable, Sendable {
    /// One bit a condition.
    public let rawValue: UInt8

    /// From bits.
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// The method.
    public static let method = FailedConditions(rawValue: 1)
    /// The path.
    public static let path = FailedConditions(rawValue: 2)
    /// The host.
    public static let host = FailedConditions(rawValue: 4)
    /// A header.
    public static let header = FailedConditions(rawValue: 8)

    /// How many conditions failed.
    public var count: Int { rawValue.nonzeroBitCount }

    /// The names, for logs: `method`, `path+header`.
    public var text: String { FailedConditions.texts[Int(rawValue & 15)] }

    /// Of each set, made once.
    private static let texts = (UInt8(0)..<16).map { bits in
        let names: [(FailedConditions, String)] = [
            (.method, "method"), (.path, "path"), (.host, "host"), (.header, "header"),
        ]
        let failed = FailedConditions(rawValue: bits)
        return names.filter { failed.contains($0.0) }.map(\.1).joined(separator: "+")
    }
}
