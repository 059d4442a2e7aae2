import NetTypes
import PolicyAPI
import PolicyIR

/// The node's own policies as they are written down for the agent's next start: what is wanted and what was confirmed last.
public struct HostPolicyRecords: Hashable, Codable, Sendable {
    private var sets: [Listed]

    fileprivate struct Listed: Hashable, Codable, Sendable {
        var fingerprint: UInt64
        var policies: [Policy]
    }

    /// Those that can be written down: all that a node can have.
    init(_ known: [UInt64: [LoweredPolicy]]) {
        sets = known.sorted { $0.key < $1.key }.compactMap { fingerprint, policies in
            let records = policies.map(Policy.init)
            return records.contains(nil) ? nil : Listed(fingerprint: fingerprint, policies: records.compactMap(\.self))
        }
    }

    /// The policies by fingerprint.
    var known: [UInt64: [LoweredPolicy]] {
        Dictionary(
            sets.compactMap { set in
                let policies = set.policies.map(\.policy)
                return policies.contains(nil) ? nil : (set.fingerprint, policies.compactMap(\.self))
            }
        ) { first, _ in first }
    }

    fileprivate struct Policy: Hashable, Codable, Sendable {
        var selector: Selector
        var ingress: Rules?
        var egress: Rules?
        var origin: Origin
    }

    fileprivate struct Rules: Hashable, Codable, Sendable {
        var isolates: Bool
        var rules: [Rule]
    }

    fileprivate struct Rule: Hashable, Codable, Sendable {
        var tier: UInt8
        var priority: UInt32
        var order: UInt32
        var action: UInt8
        /// `nil`: everyone.
        var peers: [PeerRecord]?
        /// `nil`: everything.
        var traffic: [Clause]?
        var origin: Origin
    }

    /// One of them.
    fileprivate struct PeerRecord: Hashable, Codable, Sendable {
        var endpoints: Selector?
        var nodes: Selector?
        var entity: String?
        var addresses: Addresses?
    }

    fileprivate struct Addresses: Hashable, Codable, Sendable {
        var prefix: String
        var except: [String]
        var isOutside: Bool
    }

    fileprivate struct Clause: Hashable, Codable, Sendable {
        var `protocol`: UInt8
        /// One of both.
        var ports: [UInt16]?
        var name: String?
    }

    fileprivate struct Selector: Hashable, Codable, Sendable {
        var requirements: [Requirement]

        struct Requirement: Hashable, Codable, Sendable {
            var source: String
            var key: String
            var `operator`: String
            var values: [String]
        }
    }

    fileprivate struct Origin: Hashable, Codable, Sendable {
        var kind: String
        var name: String
        var path: String
        var ruleName: String
        var isRefused: Bool
        var file: String?
        var line: Int
        var column: Int
    }
}

extension HostPolicyRecords.Policy {
    /// `nil` for what no policy of a node is.
    init?(_ policy: LoweredPolicy) {
        guard case .nodes(let selector) = policy.subject else { return nil }
        self.selector = .init(selector)
        origin = .init(policy.origin)
        for direction in Direction.allCases {
            guard let rules = policy[direction] else { continue }
            guard let record = HostPolicyRecords.Rules(rules) else { return nil }
            if direction == .ingress { ingress = record } else { egress = record }
        }
    }

    var policy: LoweredPolicy? {
        guard let selector = selector.selector else { return nil }
        let (ingress, egress) = (ingress.map(\.rulesOfDirection), egress.map(\.rulesOfDirection))
        if case .some(.none) = ingress { return nil }
        if case .some(.none) = egress { return nil }
        return LoweredPolicy(
            subject: .nodes(selector), ingress: ingress.flatMap(\.self), egress: egress.flatMap(\.self),
            origin: origin.origin)
    }
}

extension HostPolicyRecords.Rules {
    init?(_ rules: DirectionRules) {
        isolates = rules.isolates
        let records = rules.rules.map(HostPolicyRecords.Rule.init)
        guard !records.contains(nil) else { return nil }
        self.rules = records.compactMap(\.self)
    }

    var rulesOfDirection: DirectionRules? {
        let all = rules.map(\.rule)
        return all.contains(nil) ? nil : DirectionRules(isolates: isolates, rules: all.compactMap(\.self))
    }
}

extension HostPolicyRecords.Rule {
    init?(_ rule: PolicyRule) {
        // A node has none: they are refused.
        guard rule.l7 == nil else { return nil }
        (tier, priority, order, action) = (rule.tier.rawValue, rule.priority, rule.order, rule.action.rawValue)
        origin = .init(rule.origin)
        if case .anyOf(let all) = rule.peers {
            let records = all.map(HostPolicyRecords.PeerRecord.init)
            guard !records.contains(nil) else { return nil }
            peers = records.compactMap(\.self)
        }
        if case .anyOf(let clauses) = rule.traffic { traffic = clauses.map(HostPolicyRecords.Clause.init) }
    }

    var rule: PolicyRule? {
        guard let tier = Tier(rawValue: tier), let action = RuleAction(rawValue: action) else { return nil }
        let peers = peers.map { $0.map(\.peer) }
        let clauses = traffic.map { $0.map(\.clause) }
        if peers?.contains(nil) == true || clauses?.contains(nil) == true { return nil }
        return PolicyRule(
            tier: tier, priority: priority, order: order, action: action,
            peers: peers.map { .anyOf($0.compactMap(\.self)) } ?? .everyone,
            traffic: clauses.map { .anyOf($0.compactMap(\.self)) } ?? .everything, origin: origin.origin)
    }
}

extension HostPolicyRecords.PeerRecord {
    init?(_ peer: Peer) {
        switch peer {
        case .endpoints(let selector): endpoints = .init(selector)
        case .nodes(let selector): nodes = .init(selector)
        case .entity(let entity): self.entity = entity.rawValue
        case .addresses(let prefix, let except, let space):
            addresses = .init(
                prefix: prefix.description, except: except.map(\.description), isOutside: space == .outsideCluster)
        // Of NetworkPolicy, and refused.
        case .pods, .names: return nil
        }
    }

    var peer: Peer? {
        if let endpoints { return endpoints.selector.map(Peer.endpoints) }
        if let nodes { return nodes.selector.map(Peer.nodes) }
        if let entity { return Entity(rawValue: entity).map(Peer.entity) }
        guard let addresses, let prefix = IPPrefix(parsing: addresses.prefix) else { return nil }
        let except = addresses.except.map { IPPrefix(parsing: $0) }
        if except.contains(nil) { return nil }
        return .addresses(
            prefix, except: except.compactMap(\.self), addresses.isOutside ? .outsideCluster : .everywhere)
    }
}

extension HostPolicyRecords.Clause {
    init(_ clause: TrafficClause) {
        switch clause {
        case .ports(let proto, let range): (`protocol`, ports) = (proto.rawValue, [range.first, range.last])
        case .named(let proto, let name): (`protocol`, self.name) = (proto.rawValue, name)
        }
    }

    var clause: TrafficClause? {
        let proto = L4Protocol(rawValue: `protocol`)
        if let name { return .named(proto, name) }
        guard let ports, ports.count == 2, ports[0] <= ports[1] else { return nil }
        return .ports(proto, PortRange(ports[0], ports[1]))
    }
}

extension HostPolicyRecords.Selector {
    init(_ selector: LabelSelector) {
        requirements = selector.requirements.map {
            .init(source: $0.source, key: $0.key, operator: $0.operator.rawValue, values: $0.values)
        }
    }

    var selector: LabelSelector? {
        let all = requirements.map { record in
            LabelRequirement.Operator(rawValue: record.operator).map {
                LabelRequirement(source: record.source, key: record.key, operator: $0, values: record.values)
            }
        }
        return all.contains(nil) ? nil : LabelSelector(all.compactMap(\.self))
    }
}

extension HostPolicyRecords.Origin {
    init(_ origin: RuleOrigin) {
        (kind, name, path, ruleName) = (origin.kind, origin.name, origin.path, origin.ruleName)
        isRefused = origin.isRefused
        (file, line, column) = (origin.location?.file, origin.location?.line ?? 0, origin.location?.column ?? 0)
    }

    var origin: RuleOrigin {
        var origin = RuleOrigin(
            kind: kind, namespace: "", name: name, path: path,
            location: file.map { SourceLocation(file: $0, line: line, column: column) }, isRefused: isRefused)
        origin.ruleName = ruleName
        return origin
    }
}
