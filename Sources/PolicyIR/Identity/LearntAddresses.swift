import NetTypes
import PolicyAPI

/// Single addresses outside the cluster that something else than a prefix tells apart: DNS answers and API servers.
struct LearntAddresses: Sendable {
    /// A selector of policies, and how many times policies write it.
    private struct Wanted: Sendable {
        var pattern: NamePattern
        var uses: Int
    }

    private var wanted: [FQDNSelector: Wanted] = [:]
    private var answers: [String: [IPAddress]] = [:]
    /// By address: the selectors it was learnt by, and how many answers say so.
    private var selectors: [IPAddress: [FQDNSelector: Int]] = [:]
    private var servers: [IPAddress: Int] = [:]
    /// Addresses about which something has changed since somebody asked.
    private var touched: Set<IPAddress> = []

    /// Nothing learnt.
    init() {}

    /// Addresses of the API server, wherever they are.
    var apiServers: some Collection<IPAddress> { servers.keys }

    /// Whether an address is one of the API server's.
    func isServer(_ address: IPAddress) -> Bool { servers[address] != nil }

    /// The selectors that an address was learnt by, sorted by text.
    func names(of address: IPAddress) -> [FQDNSelector] {
        guard let found = selectors[address] else { return [] }
        return found.keys.sorted { $0.identityText < $1.identityText }
    }

    /// Whether anything tells an address apart.
    func tellsApart(_ address: IPAddress) -> Bool { servers[address] != nil || selectors[address] != nil }

    /// A policy writes a selector. A new one is compared with all names.
    mutating func want(_ selector: FQDNSelector) {
        if wanted[selector] != nil {
            wanted[selector]?.uses += 1
            return
        }
        let pattern = NamePattern(selector)
        wanted[selector] = Wanted(pattern: pattern, uses: 1)
        for (name, addresses) in answers where pattern.matches(name) { count(addresses, selector, by: 1) }
    }

    /// A policy no longer writes a selector.
    mutating func unwant(_ selector: FQDNSelector) {
        guard let known = wanted[selector] else { return }
        if known.uses > 1 {
            wanted[selector]?.uses -= 1
            return
        }
        wanted[selector] = nil
        for (name, addresses) in answers where known.pattern.matches(name) { count(addresses, selector, by: -1) }
    }

    /// What DNS has answered for a name, all of it. The name is compared with all selectors.
    mutating func answer(_ name: String, _ addresses: [IPAddress]) {
        let before = answers[name] ?? []
        answers[name] = addresses.isEmpty ? nil : addresses
        for (selector, one) in wanted where one.pattern.matches(name) {
            count(addresses, selector, by: 1)
            count(before, selector, by: -1)
        }
    }

    /// The API server gets and loses addresses; each is counted.
    mutating func serve(adding added: [IPAddress], removing removed: [IPAddress]) {
        for address in added {
            servers[address, default: 0] += 1
            touched.insert(address)
        }
        for address in removed {
            touched.insert(address)
            if let count = servers[address] { servers[address] = count > 1 ? count - 1 : nil }
        }
    }

    /// The addresses about which something has changed since the last call.
    mutating func takeTouched() -> Set<IPAddress> {
        defer { touched = [] }
        return touched
    }

    private mutating func count(_ addresses: [IPAddress], _ selector: FQDNSelector, by step: Int) {
        for address in addresses {
            touched.insert(address)
            let count = (selectors[address]?[selector] ?? 0) + step
            selectors[address, default: [:]][selector] = count > 0 ? count : nil
            if selectors[address]?.isEmpty == true { selectors[address] = nil }
        }
    }
}

extension FQDNSelector {
    /// A text that no other selector has.
    var identityText: String {
        switch self {
        case .name(let name): "name:\(name)"
        case .pattern(let pattern): "pattern:\(pattern)"
        }
    }
}
