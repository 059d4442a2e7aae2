/// What one pod has learnt of names, for `netpold names`.
public struct NameReport: Hashable, Codable, Sendable {
    /// An address of a name.
    public struct Address: Hashable, Codable, Sendable {
        /// The address.
        public var address: String
        /// Seconds until it ends.
        public var seconds: UInt32

        private enum CodingKeys: String, CodingKey {
            case address = "address"
            case seconds = "seconds"
        }
    }

    /// A name.
    public struct Name: Hashable, Codable, Sendable {
        /// The name.
        public var name: String
        /// Its addresses, sorted.
        public var addresses: [Address]
        /// The toFQDNs of the pod's policies that it satisfies.
        public var selectors: [String]

        private enum CodingKeys: String, CodingKey {
            case name = "name"
            case addresses = "addresses"
            case selectors = "selectors"
        }
    }

    /// A name that was refused.
    public struct Denial: Hashable, Codable, Sendable {
        /// The name; empty where a TLS connection had none.
        public var name: String
        /// `dns` or `tls`.
        public var kind: String
        /// The resolver, or the server.
        public var remote: String
        /// How many times.
        public var count: UInt64

        private enum CodingKeys: String, CodingKey {
            case name = "name"
            case kind = "kind"
            case remote = "remote"
            case count = "count"
        }
    }

    /// The pod, `namespace/name`.
    public var pod: String
    /// The names, sorted.
    public var names: [Name]
    /// What was refused last, the latest at the end.
    public var denied: [Denial]
    /// Addresses in force, as of the latest count; `nil`: not counted yet.
    public var entries: Int?
    /// Addresses that found no room.
    public var refused: UInt64?
    /// Answers to the pod's queries that taught nothing.
    public var unlearnt: UInt64?

    private enum CodingKeys: String, CodingKey {
        case pod = "pod"
        case names = "names"
        case denied = "denied"
        case entries = "entries"
        case refused = "refused"
        case unlearnt = "unlearnt"
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
