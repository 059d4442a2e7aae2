/// One row of `netpold identities`: a class of remote ends that no policy can tell apart.
public struct IdentityReport: Hashable, Codable, Sendable {
    /// Its number.
    public var identity: UInt32
    /// What it stands for: labels of pods, the name of a reserved identity, a prefix.
    public var label: String
    /// How many addresses have it.
    public var addresses: Int
    /// How many prefixes outside the cluster have it.
    public var prefixes: Int

    private enum CodingKeys: String, CodingKey {
        case identity = "identity"
        case label = "label"
        case addresses = "addresses"
        case prefixes = "prefixes"
    }
}

extension IdentityReport: ListingRow {
    /// The listing of these rows.
    public static var listing: Listing { .identities }
    /// Where the row stands.
    public var place: String {
        let number = String(identity)
        return "\(String(repeating: "0", count: max(0, 10 - number.count)))\(number)"
    }
    /// The namespace that it is of.
    public var rowNamespace: String? { nil }
    /// The rows of a page.
    public static func wrap(_ rows: [IdentityReport]) -> ListingRows { .identities(rows) }
    /// The rows of a page of this listing.
    public static func unwrap(_ rows: ListingRows) -> [IdentityReport]? {
        if case .identities(let rows) = rows { rows } else { nil }
    }
}
