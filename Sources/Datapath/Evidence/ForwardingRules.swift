/// The node's rules about packets that it forwards, as far as it matters whether a packet meets them.
///
/// A flow goes past the stack only after its first packet has passed by it, unchanged. So rules that let pass, that translate, or that drop
/// what connection tracking finds invalid say nothing about the packets behind it. Everything else may: then packets
/// are not to go past it.
struct ForwardingRules: Hashable {
    /// What a rule may do with a packet that it matches.
    enum Effect: Hashable {
        /// Lets it pass or go on, or only counts it.
        case none
        /// Goes on in another chain.
        case chain(String)
        /// Drops what is no packet of a connection that is known.
        case dropsInvalid
        /// Lets packets of known connections pass.
        case acceptsEstablished
        /// Anything else, in words.
        case other(String)
    }

    /// A chain of rules.
    struct Chain: Hashable {
        /// `ip filter FORWARD`.
        var name: String
        /// Its name within the table.
        var shortName: String
        /// Whether it stands at a place that forwarded packets pass, and not only their flow's first.
        var isEntry = false
        /// Whether it drops what no rule has decided.
        var dropsTheRest = false
        var rules: [Effect] = []
    }

    /// Of one family and table, by name.
    typealias Table = [String: Chain]

    var tables: [String: Table] = [:]

    /// Chains whose contents are known: those that kube-proxy keeps in the table `filter`, in each of its versions. They refuse packets to
    /// Services, drop what is invalid, and let pass.
    static let knownChains: Set<String> = [
        "KUBE-FORWARD", "KUBE-SERVICES", "KUBE-EXTERNAL-SERVICES", "KUBE-NODEPORTS", "KUBE-PROXY-FIREWALL",
        "KUBE-FIREWALL",
        "KUBE-NODE-PORT", "KUBE-PROXY-CANARY", "KUBE-KUBELET-CANARY",
    ]

    /// Tables of nftables that are known whole: kube-proxy's, kindnet's, flannel's, and netpold's own.
    static func isKnown(table: String) -> Bool {
        ["kube-proxy", "flannel-ipv4", "flannel-ipv6"].contains(table) || table.hasPrefix("kindnet")
    }

    /// What would be missed by packets that go past these rules, in words; `nil`: nothing.
    var problem: String? {
        for (_, table) in tables.sorted(by: { $0.key < $1.key }) {
            for chain in table.values.filter(\.isEntry).sorted(by: { $0.name < $1.name }) {
                var visited: Set<String> = []
                if let problem = ForwardingRules.problem(of: chain, in: table, &visited) { return problem }
                guard chain.dropsTheRest else { continue }
                let passesKnown = visited.contains("KUBE-FORWARD") || ForwardingRules.accepts(chain, in: table)
                if !passesKnown { return "chain \(chain.name) drops what no rule lets pass" }
            }
        }
        return nil
    }

    private static func problem(of chain: Chain, in table: Table, _ visited: inout Set<String>) -> String? {
        guard visited.insert(chain.shortName).inserted else { return nil }
        for rule in chain.rules {
            switch rule {
            case .none, .dropsInvalid, .acceptsEstablished: continue
            case .other(let words): return "a rule of chain \(chain.name): \(words)"
            case .chain(let name) where knownChains.contains(name): visited.insert(name)
            case .chain(let name):
                guard let next = table[name] else {
                    return "chain \(chain.name) goes on in \(name), which is not there"
                }
                if let problem = problem(of: next, in: table, &visited) { return problem }
            }
        }
        return nil
    }

    private static func accepts(_ chain: Chain, in table: Table) -> Bool { chain.rules.contains(.acceptsEstablished) }
}
