import CNetpoldABI
import NetTypes

/// What other versions knew that an agent starts from; it is not in this version's maps.
struct InheritedState {
    /// The numbers of identities, so that an upgrade renumbers nothing.
    private(set) var addresses: [IPAddress: UInt32] = [:]
    private(set) var prefixes: [IPPrefix: UInt32] = [:]
    /// The interfaces that were enforced, with what could be sent from each.
    private(set) var interfaces: [UInt32: [IPAddress]] = [:]
    /// The serial number of the record by which its columns of names are numbered; 0: none.
    private(set) var columnRecord: UInt32 = 0
    /// The highest number that columns of names had.
    private(set) var highestColumns: UInt32 = 0

    /// Adds what a version knew; what another one said before holds.
    mutating func add(_ other: OtherVersion) throws(BPFError) {
        if let map = other.maps["np_addresses"] {
            addresses.merge(try DatapathMaps.addresses(of: map)) { first, _ in first }
        }
        if let map = other.maps["np_prefixes"] {
            prefixes.merge(try DatapathMaps.prefixes(of: map)) { first, _ in first }
        }
        if columnRecord == 0 { columnRecord = try other.columnRecord() }
        highestColumns = max(highestColumns, try other.highestColumns())
        for endpoint in try other.endpoints() where endpoint.ifindex != 0 {
            interfaces[endpoint.ifindex] = interfaces[endpoint.ifindex] ?? endpoint.addresses
        }
    }
}
