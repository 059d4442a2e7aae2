/// Another version of the instance, found at the start.
public struct OtherVersionReport: Hashable, Sendable {
    /// The name of its folder, for example `v2`.
    public let name: String
    /// What of its state this version cannot read and does not carry over, in words.
    public let notCarried: [String]

    init(_ other: OtherVersion) {
        name = other.name
        notCarried = other.unreadable
    }
}
