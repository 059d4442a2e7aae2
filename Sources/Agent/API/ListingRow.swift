public import BPFEmit

/// A row of a listing.
public protocol ListingRow: Codable, Hashable, Sendable {
    /// The listing whose rows are of this type.
    static var listing: Listing { get }
    /// Where the row stands: rows are sorted by it, and a page begins after one. No two rows of a listing have the same.
    var place: String { get }
    /// The namespace that the row is of; `nil` for none.
    var rowNamespace: String? { get }
    /// The rows, in the type that pages have.
    static func wrap(_ rows: [Self]) -> ListingRows
    /// The rows of a page, if they are of this type.
    static func unwrap(_ rows: ListingRows) -> [Self]?
}

/// Rows of one listing.
public enum ListingRows: Hashable, Sendable {
    /// The pods of the node.
    case endpoints([EndpointReport])
    /// What pods have learnt of names.
    case names([NameReport])
    /// The policies of the sources.
    case policies([PolicyReport])
    /// What may decide.
    case rules([RuleReport])
    /// What numbers stand for.
    case identities([IdentityReport])
    /// Where pods reach Services.
    case services([ServiceRow])
    /// Flows.
    case conntrack([FlowRow])
    /// Tables of the kernel.
    case maps([CapacityUse])
}
