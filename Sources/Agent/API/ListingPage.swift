import BPFEmit

/// Asks for rows.
public struct ListRequest: Hashable, Codable, Sendable {
    /// What is listed.
    public var listing: Listing
    /// Only rows of this namespace; `nil`: all.
    public var namespace: String?
    /// Only rows behind this place: `ListingPage.next` of the page before. `nil`: from the beginning.
    public var after: String?

    /// A request.
    public init(_ listing: Listing, namespace: String? = nil, after: String? = nil) {
        self.listing = listing
        self.namespace = namespace
        self.after = after
    }

    private enum CodingKeys: String, CodingKey {
        case listing = "listing"
        case namespace = "namespace"
        case after = "after"
    }
}

/// A part of a listing: as many rows as one message may have.
public struct ListingPage: Hashable, Sendable {
    /// The rows, sorted by place.
    public var rows: ListingRows
    /// Where to go on; `nil` on the last page.
    public var next: String?
    /// Rows that are there and that no page has: the listing is cut off.
    public var leftOut: Int

    /// A page.
    public init(_ rows: ListingRows, next: String? = nil, leftOut: Int = 0) {
        self.rows = rows
        self.next = next
        self.leftOut = leftOut
    }
}

extension ListingPage: Codable {
    private enum CodingKeys: String, CodingKey {
        case listing = "listing"
        case rows = "rows"
        case next = "next"
        case leftOut = "leftOut"
    }

    /// Reads a page; `listing` says of which type its rows are.
    public init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        func rows<Row: ListingRow>(_ type: Row.Type) throws -> ListingRows {
            Row.wrap(try fields.decode([Row].self, forKey: .rows))
        }
        switch try fields.decode(Listing.self, forKey: .listing) {
        case .endpoints: self.rows = try rows(EndpointReport.self)
        case .names: self.rows = try rows(NameReport.self)
        case .policies: self.rows = try rows(PolicyReport.self)
        case .rules: self.rows = try rows(RuleReport.self)
        case .identities: self.rows = try rows(IdentityReport.self)
        case .services: self.rows = try rows(ServiceRow.self)
        case .conntrack: self.rows = try rows(FlowRow.self)
        case .maps: self.rows = try rows(CapacityUse.self)
        }
        next = try fields.decodeIfPresent(String.self, forKey: .next)
        leftOut = try fields.decode(Int.self, forKey: .leftOut)
    }

    /// Writes a page.
    public func encode(to encoder: any Encoder) throws {
        var fields = encoder.container(keyedBy: CodingKeys.self)
        func write<Row: ListingRow>(_ rows: [Row]) throws {
            try fields.encode(Row.listing, forKey: .listing)
            try fields.encode(rows, forKey: .rows)
        }
        switch rows {
        case .endpoints(let rows): try write(rows)
        case .names(let rows): try write(rows)
        case .policies(let rows): try write(rows)
        case .rules(let rows): try write(rows)
        case .identities(let rows): try write(rows)
        case .services(let rows): try write(rows)
        case .conntrack(let rows): try write(rows)
        case .maps(let rows): try write(rows)
        }
        try fields.encodeIfPresent(next, forKey: .next)
        try fields.encode(leftOut, forKey: .leftOut)
    }
}
