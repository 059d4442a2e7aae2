import Algorithms
import NetTypes
import PolicyAPI
import PolicyIR

/// L7 rules next to a plain rule that allows the same connections.
enum BypassedL7Check: LintCheck {
    static let entry = DiagnosticEntry(
        .bypassedL7, .warning,
        title: "HTTP, DNS or server name rules that a plain rule bypasses",
        reason: """
            Rules are alternatives. Where another rule allows the same peers on the same ports without L7 rules, requests are not \
            inspected: everything is allowed. All policies of the same pods are combined, of whichever kind they are: the plain rule may \
            be in a NetworkPolicy, or one of a ClusterNetworkPolicy of the tier Admin, which is asked first. Peers are compared by \
            their selectors, and by the known pods that they select.
            """,
        fix: "Remove the plain rule or narrow it, so that only the L7 rules allow the port.",
        bad: """
            apiVersion: cilium.io/v2
            kind: CiliumNetworkPolicy
            metadata: {name: web, namespace: shop}
            spec:
              endpointSelector: {matchLabels: {app: web}}
              ingress:
                - fromEndpoints: [{matchLabels: {app: front}}]
                - fromEndpoints: [{matchLabels: {app: front}}]
                  toPorts:
                    - ports: [{port: "8080", protocol: TCP}]
                      rules: {http: [{method: GET}]}
            """,
        good: """
            apiVersion: cilium.io/v2
            kind: CiliumNetworkPolicy
            metadata: {name: web, namespace: shop}
            spec:
              endpointSelector: {matchLabels: {app: web}}
              ingress:
                - fromEndpoints: [{matchLabels: {app: front}}]
                  toPorts:
                    - ports: [{port: "8080", protocol: TCP}]
                      rules: {http: [{method: GET}]}
            """)

    /// A rule with more peers and ports than this is compared as a whole only.
    private static let mostPieces = 1_000

    static func run(_ cluster: LintCluster, _ report: inout LintReport) {
        for direction in Direction.allCases {
            let hasL7 = cluster.policies.contains { $0[direction]?.rules.contains { $0.l7 != nil } ?? false }
            guard hasL7 else { continue }
            let plain = cluster.policies.map { policy in
                (policy[direction]?.rules ?? []).filter { $0.action == .allow && $0.l7 == nil }
                    .map(CoverableRule.init)
            }
            let passes = cluster.policies.flatMap { $0[direction]?.rules ?? [] }.filter { $0.action == .pass }
            for (number, policy) in cluster.policies.enumerated() {
                let guarded = (policy[direction]?.rules ?? []).filter {
                    $0.l7 != nil && $0.peers != .anyOf([]) && $0.traffic != .anyOf([])
                }
                guard !guarded.isEmpty else { continue }
                let candidates = cluster.policies(covering: number).filter { !plain[$0].isEmpty }
                for rule in guarded {
                    let others = candidates.lazy.flatMap { plain[$0] }.filter {
                        mayMeet($0.rule.traffic, rule.traffic) && isAsked($0.rule, before: rule, passes)
                    }
                    check(rule, beside: Array(others), cluster, &report)
                }
            }
        }
    }

    /// Reports L7 rules that one of some plain rules bypasses, for all of their connections or for some of them.
    private static func check(
        _ guarded: PolicyRule, beside plain: [CoverableRule], _ cluster: LintCluster, _ report: inout LintReport
    ) {
        guard !plain.isEmpty else { return }
        let found = pieces(of: guarded).map { piece in plain.first { admits($0, piece, of: guarded, cluster) } }
        guard let wide = found.compactMap(\.self).first?.rule else { return }
        report.warn(
            .bypassedL7, "\(guarded.origin.path).\(word(guarded.l7))", of: guarded.origin,
            found.allSatisfy { $0 != nil }
                ? "\(wide.origin) allows the same connections without L7 rules, so \(effect(guarded.l7))"
                : "\(wide.origin) allows some of the connections without L7 rules, so their requests are not inspected",
            "remove or narrow the plain rule")
    }

    /// A rule as one for each of its peers and each of its ports.
    private static func pieces(of rule: PolicyRule) -> [CoverableRule] {
        var peers = [rule.peers]
        if case .anyOf(let some) = rule.peers { peers = some.map { .anyOf([$0]) } }
        var traffic = [rule.traffic]
        if case .anyOf(let clauses) = rule.traffic { traffic = clauses.map { .anyOf([$0]) } }
        guard peers.count * traffic.count <= mostPieces else { return [CoverableRule(rule)] }
        return peers.flatMap { peers in
            traffic.map { traffic in
                var piece = rule
                piece.peers = peers
                piece.traffic = traffic
                return CoverableRule(piece)
            }
        }
    }

    /// Whether a plain rule may have a port in common with L7 rules, so that it is worth a comparison.
    private static func mayMeet(_ plain: TrafficMatch, _ guarded: TrafficMatch) -> Bool {
        guard case .anyOf(let clauses) = guarded else { return plain.covers(guarded) }
        return clauses.contains { plain.covers(.anyOf([$0])) }
    }

    /// Whether a plain rule decides the packets of both: it is of the same level, or of a tier that is asked first and in which no earlier
    /// rule passes them on.
    private static func isAsked(_ plain: PolicyRule, before guarded: PolicyRule, _ passes: [PolicyRule]) -> Bool {
        if plain.tier == guarded.tier { return plain.priority <= guarded.priority }
        return plain.tier < guarded.tier
            && !passes.contains { pass in
                pass.tier == plain.tier && (pass.priority < plain.priority || pass.precedesInItsObject(plain))
            }
    }

    /// Whether a plain rule allows a part of what a guarded one asks about, after what server names take from it.
    private static func admits(
        _ plain: CoverableRule, _ piece: CoverableRule, of guarded: PolicyRule, _ cluster: LintCluster
    ) -> Bool {
        guard covers(plain, piece, cluster) else { return false }
        guard guarded.asksForServerName else { return true }
        return plain.rule.parts(without: guarded).contains { covers(CoverableRule($0), piece, cluster) }
    }

    private static func covers(_ plain: CoverableRule, _ piece: CoverableRule, _ cluster: LintCluster) -> Bool {
        plain.coversPackets(of: piece) || coversKnownPods(plain.rule, piece.rule, cluster)
    }

    /// Whether a plain rule allows the connections of every known pod that the one peer of a guarded rule selects.
    private static func coversKnownPods(_ plain: PolicyRule, _ guarded: PolicyRule, _ cluster: LintCluster) -> Bool {
        guard plain.traffic.covers(guarded.traffic), case .anyOf(let outer) = plain.peers,
            case .anyOf(let peers) = guarded.peers, peers.count == 1, let peer = peers.first
        else { return false }
        switch peer {
        case .pods, .endpoints: break
        case .nodes, .entity, .addresses, .names: return false
        }
        let known = cluster.pods(matching: peer)
        return !known.isEmpty && known.allSatisfy { podClass in outer.contains { selects($0, podClass, cluster) } }
    }

    private static func selects(_ peer: Peer, _ podClass: LintCluster.PodClass, _ cluster: LintCluster) -> Bool {
        switch peer {
        case .pods, .endpoints:
            let found = cluster.pods(matching: peer)
            let place = found.partitioningIndex { $0 >= podClass }
            return place < found.endIndex && found[place] == podClass
        case .addresses(let prefix, let except, .everywhere):
            // The addresses of pods change; only a prefix of all of them says something.
            guard prefix.length == 0, except.isEmpty else { return false }
            let addresses = (cluster.pods[podClass] ?? []).flatMap(\.addresses)
            return !addresses.isEmpty && addresses.allSatisfy { prefix.contains($0) }
        case .addresses(_, _, .outsideCluster), .nodes, .entity, .names:
            return false
        }
    }

    /// What L7 rules beside a plain one do: DNS rules still say whose answers are learnt from.
    private static func effect(_ l7: L7Match?) -> String {
        if case .dns = l7 { "names are learnt, and look-ups are not filtered" } else { "these rules have no effect" }
    }

    private static func word(_ l7: L7Match?) -> String {
        if case .serverNames = l7 { "serverNames" } else { "rules" }
    }
}
