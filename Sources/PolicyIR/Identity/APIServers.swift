import NetTypes

/// Addresses of the API server: they are told apart wherever they are.
struct APIServers: Sendable {
    private var counts: [IPAddress: Int] = [:]
    /// Addresses about which something has changed since somebody asked.
    private var touched: Set<IPAddress> = []

    /// None.
    init() {}

    /// The addresses.
    var addresses: some Collection<IPAddress> { counts.keys }

    /// Whether an address is one of them.
    func contains(_ address: IPAddress) -> Bool { counts[address] != nil }

    /// The API server gets and loses addresses; each is counted.
    mutating func serve(adding added: [IPAddress], removing removed: [IPAddress]) {
        for address in added {
            counts[address, default: 0] += 1
            touched.insert(address)
        }
        for address in removed {
            touched.insert(address)
            if let count = counts[address] { counts[address] = count > 1 ? count - 1 : nil }
        }
    }

    /// The addresses about which something has changed since the last call.
    mutating func takeTouched() -> Set<IPAddress> {
        defer { touched = [] }
        return touched
    }
}
