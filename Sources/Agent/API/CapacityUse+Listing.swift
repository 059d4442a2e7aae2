public import BPFEmit

extension CapacityUse: ListingRow {
    /// The listing of these rows.
    public static var listing: Listing { .maps }
    /// Where the row stands.
    public var place: String { name }
    /// The namespace that it is of.
    public var rowNamespace: String? { nil }
    /// The rows of a page.
    public static func wrap(_ rows: [CapacityUse]) -> ListingRows { .maps(rows) }
    /// The rows of a page of this listing.
    public static func unwrap(_ rows: ListingRows) -> [CapacityUse]? {
        if case .maps(let rows) = rows { rows } else { nil }
    }
}
