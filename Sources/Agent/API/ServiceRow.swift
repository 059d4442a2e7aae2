/// One row of `netpold services`: an address and port at which pods reach a Service.
public struct ServiceRow: Hashable, Codable, Sendable {
    /// `namespace/name`.
    public var service: String
    /// The address in text form.
    public var address: String
    /// The port.
    public var port: UInt16
    /// `TCP`, `UDP` or `SCTP`.
    public var `protocol`: String
    /// What kind of address it is: `cluster IP`, `node port`, ...
    public var kind: String
    /// The name of the Service's port; left out where it has none.
    public var portName: String?
    /// Where connections may go, `address:port`, sorted; none: they are refused.
    public var backends: [String]

    private enum CodingKeys: String, CodingKey {
        case service = "service"
        case address = "address"
        case port = "port"
        case `protocol` = "protocol"
        case kind = "kind"
        case portName = "portName"
        case backends = "backends"
    }
}

extension ServiceRow: ListingRow {
    /// The listing of these rows.
    public static var listing: Listing { .services }
    /// Where the row stands.
    public var place: String { "\(service) \(address) \(port) \(`protocol`)" }
    /// The namespace that it is of.
    public var rowNamespace: String? { Listing.namespace(of: service) }
    /// The rows of a page.
    public static func wrap(_ rows: [ServiceRow]) -> ListingRows { .services(rows) }
    /// The rows of a page of this listing.
    public static func unwrap(_ rows: ListingRows) -> [ServiceRow]? {
        if case .services(let rows) = rows { rows } else { nil }
    }
}
