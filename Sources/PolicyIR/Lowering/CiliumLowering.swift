import NetTypes
import PolicyAPI

/// Lowers the rules of one Cilium object: one `LoweredPolicy` for each rule, in it one `PolicyRule` for each element and
/// each of its `toPorts` entries (L7 conditions belong to an entry).
struct CiliumLowering {
    /// Why an object cannot be enforced as written.
    struct Refusal: Error {
        let diagnostic: Diagnostic
    }

    private let policy: CiliumPolicy
    private let rule: CiliumRule
    private let scope: CiliumScope
    private let directory: CiliumDirectory
    private var diagnostics: [Diagnostic] = []
    /// How many more peers the object may have.
    private var room: Int

    /// The peers that an object may have in all its rules together, exceptions and what references stand for included: those of an element once
    /// for each entry of its `toPorts`. A few hundred kilobytes can ask for a hundred times more, which would hold up what others changed.
    static let mostPeers = 1_000_000

    private init(_ policy: CiliumPolicy, _ rule: CiliumRule, _ directory: CiliumDirectory, room: Int) {
        self.room = room
        self.policy = policy
        self.rule = rule
        self.directory = directory
        scope = CiliumScope(policy, rule)
    }

    /// The object's rules. One that netpold cannot enforce refuses the whole object: then its subjects are isolated.
    static func lower(
        _ policy: CiliumPolicy, _ directory: CiliumDirectory, for purpose: PolicyLowering.Purpose
    ) -> LoweredPolicies {
        var result = LoweredPolicies()
        var room = mostPeers
        do {
            for rule in policy.rules {
                if purpose == .enforcement { try refuseHostNames(rule) }
                var lowering = CiliumLowering(policy, rule, directory, room: room)
                result.policies.append(try lowering.lower())
                room = lowering.room
                result.diagnostics += lowering.diagnostics
            }
            return result
        } catch {
            return LoweredPolicies(
                policies: PolicyLowering.isolate(policy), diagnostics: result.diagnostics + [error.diagnostic])
        }
    }

    private mutating func lower() throws(Refusal) -> LoweredPolicy {
        LoweredPolicy(
            subject: subject(), ingress: try direction(.ingress), egress: try direction(.egress),
            origin: PolicyLowering.origin(of: rule, in: policy))
    }

    /// Of a host policy the datapath knows no names: nobody reads what the node asks its resolver.
    private static func refuseHostNames(_ rule: CiliumRule) throws(Refusal) {
        guard case .nodes = rule.subject else { return }
        for element in rule.ingress + rule.egress {
            let hasL7 = (element.toPorts.value ?? []).contains {
                !$0.dns.isAbsent || !$0.http.isAbsent || !$0.serverNames.isEmpty
            }
            guard hasL7 || !element.fqdns.isAbsent else { continue }
            throw Refusal(
                diagnostic: Diagnostic(
                    id: .hostPolicy, location: element.location ?? rule.location, path: element.path,
                    message:
                        "names in a host policy are evaluated but not enforced: DNS rules, toFQDNs and serverNames",
                    hint: "allow the addresses with toCIDR; `test` and `explain` evaluate the names"))
        }
    }

    private func subject() -> PolicySubject {
        switch rule.subject {
        case .nodes(let selector): .nodes(selector)
        case .endpoints(let selector): .endpoints(scope.subject(selector))
        }
    }

    private mutating func direction(_ direction: Direction) throws(Refusal) -> DirectionRules? {
        let isIngress = direction == .ingress
        let allows = isIngress ? rule.ingress : rule.egress
        let denies = isIngress ? rule.ingressDeny : rule.egressDeny
        // "absent: true exactly for directions where the rule has elements"; written true without elements: no effect.
        guard !(allows.isEmpty && denies.isEmpty) else { return nil }
        let isolates = (isIngress ? rule.defaultDenyIngress : rule.defaultDenyEgress) ?? true
        var rules: [PolicyRule] = []
        for element in denies { rules += try lower(element, .deny, direction) }
        for element in allows { rules += try lower(element, .allow, direction) }
        return DirectionRules(isolates: isolates, rules: rules)
    }

    private mutating func lower(
        _ element: CiliumElement, _ action: RuleAction, _ direction: Direction
    ) throws(Refusal) -> [PolicyRule] {
        let hasPorts = element.toPorts.value.map { !$0.isEmpty } ?? false
        let hasICMP = element.icmps.value != nil
        guard let peers = try peers(element, action, direction) else {
            // "all L3 absent, no toPorts/icmps: selects nothing, default deny only".
            guard hasPorts || hasICMP else { return [] }
            // "all L3 absent, toPorts/icmps non-empty: wildcard L3".
            return try rules(element, action, .everyone)
        }
        // "all: nothing required": unknown ends included.
        if case .anyOf(let some) = peers, some.contains(.entity(.all)) { return try rules(element, action, .everyone) }
        return try rules(element, action, peers)
    }

    private func rules(
        _ element: CiliumElement, _ action: RuleAction, _ peers: PeerMatch
    ) throws(Refusal) -> [PolicyRule] {
        var rules: [PolicyRule] = []
        if let ports = element.toPorts.value {
            for entry in ports {
                rules.append(
                    PolicyRule(
                        action: action, peers: peers, traffic: CiliumTraffic.match(entry),
                        // "There is no L7 deny"; a deny drops whatever the payload says.
                        l7: action == .allow ? try l7(entry) : nil,
                        origin: origin(entry.path, entry.location ?? element.location)))
            }
        }
        if let fields = element.icmps.value {
            rules.append(
                PolicyRule(
                    action: action, peers: peers, traffic: CiliumTraffic.match(fields),
                    origin: origin(element.path, element.location)))
        }
        // "L3 non-empty, toPorts: [], no icmps: L3-only, all ports and protocols".
        if rules.isEmpty {
            rules.append(
                PolicyRule(
                    action: action, peers: peers, traffic: .everything, origin: origin(element.path, element.location)))
        }
        return rules
    }

    /// The L7 conditions of a `toPorts` entry. A written but empty list permits nothing: netpold fails closed.
    private func l7(_ entry: PortRule) throws(Refusal) -> L7Match? {
        var conditions: [L7Match] = []
        if !entry.http.isAbsent { conditions.append(.http(entry.http.value ?? [])) }
        if !entry.dns.isAbsent { conditions.append(.dns(entry.dns.value ?? [])) }
        if !entry.serverNames.isEmpty { conditions.append(.serverNames(entry.serverNames)) }
        guard conditions.count <= 1 else {
            throw Refusal(
                diagnostic: Diagnostic(
                    id: .conflict, location: entry.location ?? rule.location, path: entry.path,
                    message: "http rules, dns rules and serverNames are mutually exclusive",
                    hint: "write one toPorts entry for each"))
        }
        return conditions.first
    }

    private func origin(_ path: String, _ location: SourceLocation?) -> RuleOrigin {
        RuleOrigin(
            kind: policy.kind, namespace: scope.namespace ?? "", name: policy.metadata.name, path: path,
            location: location ?? rule.location ?? policy.metadata.location)
    }

    /// The peers of an element, `nil` when no L3 member is written. A reference to something unknown keeps an allow closed,
    /// but would open a deny: that one refuses the object.
    private mutating func peers(
        _ element: CiliumElement, _ action: RuleAction, _ direction: Direction
    ) throws(Refusal) -> PeerMatch? {
        let peers = CiliumPeers(element, direction, action, scope, directory, room: room)
        let rules = (element.toPorts.value?.count ?? 0) + (element.icmps.value == nil ? 0 : 1)
        room -= peers.size * max(rules, 1)
        guard room >= 0 else {
            throw Refusal(
                diagnostic: Diagnostic(
                    id: .tooMany, location: element.location ?? rule.location, path: element.path,
                    message:
                        "with this element the policy has more than \(CiliumLowering.mostPeers) peers: exceptions count, so do the prefixes of "
                        + "groups and the backends of Services, and all of them once for each entry of toPorts",
                    hint: "name fewer peers, or write ports that have the same peers in one entry of toPorts"))
        }
        for reference in peers.unresolved {
            let isDeny = action == .deny
            let diagnostic = Diagnostic(
                id: .unresolved, severity: isDeny ? .error : .warning, location: element.location ?? rule.location,
                path: "\(element.path).\(reference.member)",
                message: reference.what + (isDeny ? ", so it is unknown what to deny" : "; it selects nothing"),
                hint: reference.hint)
            guard !isDeny else { throw Refusal(diagnostic: diagnostic) }
            diagnostics.append(diagnostic)
        }
        return peers.match
    }
}
