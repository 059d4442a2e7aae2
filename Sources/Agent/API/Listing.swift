public import BPFEmit

/// What can be listed: each is a list of rows of one type, and a command of the same name shows it.
public enum Listing: String, Hashable, Codable, Sendable, CaseIterable {
    /// The pods of the node.
    case endpoints = "endpoints"
    /// What pods have learnt of names.
    case names = "names"
    /// The policies of the sources.
    case policies = "policies"
    /// What may decide at each pod, and how often it did.
    case rules = "rules"
    /// What the numbers of remote ends stand for.
    case identities = "identities"
    /// Where pods reach Services.
    case services = "services"
    /// The flows that are remembered.
    case conntrack = "conntrack"
    /// The tables of the kernel.
    case maps = "maps"

    /// Whether its rows are of namespaces.
    public var hasNamespaces: Bool {
        switch self {
        case .endpoints, .names, .policies, .rules, .services, .conntrack: true
        case .identities, .maps: false
        }
    }

    /// The namespace of `namespace/name`; `nil` for what is named otherwise: the node itself (`host`), an interface without a pod.
    public static func namespace(of name: String) -> String? {
        let parts = name.split(separator: "/", omittingEmptySubsequences: false)
        return parts.count == 2 && !parts[0].isEmpty ? String(parts[0]) : nil
    }
}

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

// MARK: rows

extension EndpointReport: ListingRow {
    /// The listing of these rows.
    public static var listing: Listing { .endpoints }
    /// Where the row stands.
    public var place: String { "\(name) \(ifindex ?? 0)" }
    /// The namespace that it is of.
    public var rowNamespace: String? { Listing.namespace(of: name) }
    /// The rows of a page.
    public static func wrap(_ rows: [EndpointReport]) -> ListingRows { .endpoints(rows) }
    /// The rows of a page of this listing.
    public static func unwrap(_ rows: ListingRows) -> [EndpointReport]? {
        if case .endpoints(let rows) = rows { rows } else { nil }
    }
}

extension NameReport: ListingRow {
    /// The listing of these rows.
    public static var listing: Listing { .names }
    /// Where the row stands.
    public var place: String { pod }
    /// The namespace that it is of.
    public var rowNamespace: String? { Listing.namespace(of: pod) }
    /// The rows of a page.
    public static func wrap(_ rows: [NameReport]) -> ListingRows { .names(rows) }
    /// The rows of a page of this listing.
    public static func unwrap(_ rows: ListingRows) -> [NameReport]? {
        if case .names(let rows) = rows { rows } else { nil }
    }
}

extension PolicyReport: ListingRow {
    /// The listing of these rows.
    public static var listing: Listing { .policies }
    /// Where the row stands.
    public var place: String { "\(kind)/\(namespace ?? "")/\(name)" }
    /// The namespace that it is of.
    public var rowNamespace: String? { namespace }
    /// The rows of a page.
    public static func wrap(_ rows: [PolicyReport]) -> ListingRows { .policies(rows) }
    /// The rows of a page of this listing.
    public static func unwrap(_ rows: ListingRows) -> [PolicyReport]? {
        if case .policies(let rows) = rows { rows } else { nil }
    }
}

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
