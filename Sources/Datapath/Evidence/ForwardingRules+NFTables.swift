import Foundation

extension ForwardingRules {
    /// What is not JSON of nft.
    struct Unreadable: Error {}

    /// Places that forwarded packets pass.
    private static let hooks: Set<String> = ["prerouting", "forward", "postrouting", "ingress", "egress"]

    /// Takes in what `nft -j list chains` says.
    ///
    /// - Returns: the tables that have to be listed: those with a chain at one of the hooks that is not asked about a flow's first
    ///   packet only (type `nat`), and that is not known.
    static func tablesToRead(chains json: Data) throws(Unreadable) -> [(family: String, table: String)] {
        var found: Set<[String]> = []
        for entry in try entries(json) {
            guard let chain = entry["chain"] as? [String: Any], isEntry(chain), let family = chain["family"] as? String,
                let table = chain["table"] as? String, !isKnown(table: table)
            else { continue }
            found.insert([family, table])
        }
        return found.sorted { $0.lexicographicallyPrecedes($1) }.map { ($0[0], $0[1]) }
    }

    /// Takes in what `nft -j list table FAMILY TABLE` says.
    mutating func add(table json: Data) throws(Unreadable) {
        for entry in try ForwardingRules.entries(json) {
            if let chain = entry["chain"] as? [String: Any] {
                let place = try ForwardingRules.place(chain, "name")
                tables[place.table, default: [:]][place.chain, default: place.empty].isEntry =
                    ForwardingRules.isEntry(chain)
                tables[place.table]?[place.chain]?.dropsTheRest = chain["policy"] as? String == "drop"
            } else if let rule = entry["rule"] as? [String: Any] {
                let place = try ForwardingRules.place(rule, "chain")
                let statements = rule["expr"] as? [[String: Any]] ?? [["rule that nft cannot show": ""]]
                tables[place.table, default: [:]][place.chain, default: place.empty].rules.append(
                    ForwardingRules.effect(of: statements))
            } else if entry["flowtable"] != nil {
                throw Unreadable()
            }
        }
    }

    private struct Place {
        let table: String
        let chain: String
        var empty: Chain { Chain(name: "\(table) \(chain)", shortName: chain) }
    }

    private static func place(_ object: [String: Any], _ key: String) throws(Unreadable) -> Place {
        guard let family = object["family"] as? String, let table = object["table"] as? String,
            let chain = object[key] as? String
        else { throw Unreadable() }
        return Place(table: "\(family) \(table)", chain: chain)
    }

    private static func isEntry(_ chain: [String: Any]) -> Bool {
        guard let hook = chain["hook"] as? String, hooks.contains(hook), chain["type"] as? String != "nat",
            let family = chain["family"] as? String
        else { return false }
        // What is routed meets no rules of bridges, and ARP is left to the stack.
        return family != "bridge" && family != "arp"
    }

    private static func entries(_ json: Data) throws(Unreadable) -> [[String: Any]] {
        guard let whole = try? JSONSerialization.jsonObject(with: json) as? [String: Any],
            let entries = whole["nftables"] as? [[String: Any]]
        else { throw Unreadable() }
        return entries
    }

    private static func effect(of statements: [[String: Any]]) -> Effect {
        var effect = Effect.none
        var states: Set<String> = []
        for statement in statements {
            guard let (name, body) = statement.first, statement.count == 1 else {
                return .other("of more than one kind")
            }
            switch name {
            case "match": states.formUnion(connectionStates(body))
            case "counter", "accept", "return", "continue": break
            // A match of iptables that nft has no words for.
            case "xt" where (body as? [String: Any])?["type"] as? String == "match": break
            case "xt": return .other("target \((body as? [String: Any])?["name"] as? String ?? "of iptables")")
            case "jump", "goto":
                guard let target = (body as? [String: Any])?["target"] as? String else { return .other(name) }
                effect = .chain(target)
            case "drop" where states == ["invalid"]: effect = .dropsInvalid
            default: return .other(name)
            }
            if name == "accept", states.contains("established") { effect = .acceptsEstablished }
        }
        return effect
    }

    /// The states of connection tracking that a match asks for; none of another one.
    private static func connectionStates(_ body: Any) -> [String] {
        guard let match = body as? [String: Any], let op = match["op"] as? String, op == "in" || op == "==",
            let left = match["left"] as? [String: Any], let tracked = left["ct"] as? [String: Any],
            tracked["key"] as? String == "state"
        else { return [] }
        if let one = match["right"] as? String { return [one] }
        return match["right"] as? [String] ?? []
    }
}
