import NetpoldTestSupport
import Testing

@testable import NetTypes
@testable import PolicyAnalysis
@testable import PolicyIR

/// What lint says without looking at pods must hold of any pods: the naive matcher is asked.
@Suite("Lint: what covers what")
struct CoverTests {
    @Test("Every end that a covered peer matches, the covering one matches too, on random clusters")
    func peers() {
        var found = 0
        for seed in 0..<UInt64(120) {
            let cluster = NetpoldTestSupport.RandomCluster(seed: seed)
            let view = ClusterView(cluster.objects, localNode: cluster.localNode)
            let addresses =
                cluster.objects.pods.flatMap(\.addresses) + cluster.objects.nodes.flatMap(\.addresses)
                + NetpoldTestSupport.RandomCluster.outside
            let remotes = addresses.map { view.remoteEnd(address: $0, seenFrom: cluster.localNode) }
            let rules = cluster.policies.flatMap { policy in
                Direction.allCases.flatMap { policy[$0]?.rules ?? [] }
            }
            let covers = rules.map { PeerCover($0.peers) }
            for (outer, outerCover) in zip(rules, covers) {
                for (inner, innerCover) in zip(rules, covers)
                where outer.origin != inner.origin && outerCover.covers(innerCover) {
                    if inner.peers != .everyone, inner.peers != .anyOf([]) { found += 1 }
                    for remote in remotes where inner.peers.matches(remote) {
                        #expect(outer.peers.matches(remote), "seed \(seed): \(outer.origin) \(inner.origin)")
                    }
                }
            }
        }
        // Not for want of pairs.
        #expect(found > 200)
    }

    @Test("Every packet that covered traffic matches, the covering one matches too")
    func traffic() {
        var found = 0
        for seed in 0..<UInt64(60) {
            let cluster = NetpoldTestSupport.RandomCluster(seed: seed)
            let rules = cluster.policies.flatMap { policy in
                Direction.allCases.flatMap { policy[$0]?.rules ?? [] }
            }
            for outer in rules {
                for inner in rules where outer.traffic.covers(inner.traffic) {
                    if case .anyOf(let clauses) = inner.traffic, clauses != [] { found += 1 }
                    for proto in [L4Protocol.tcp, .udp, .sctp, .icmp, .icmpv6] {
                        for port in [0, 8, 53, 80, 81, 443, 1024, 8080, 65535] as [UInt16] {
                            let matches = { (traffic: TrafficMatch) in
                                traffic.matches(protocol: proto, port: port) { name, _ in name == "http" ? [80] : [53] }
                            }
                            #expect(!matches(inner.traffic) || matches(outer.traffic))
                        }
                    }
                }
            }
        }
        #expect(found > 200)
    }

    @Test("A policy whose scope covers another's selects every pod that the other selects")
    func scopes() {
        var found = 0
        for seed in 0..<UInt64(120) {
            let cluster = NetpoldTestSupport.RandomCluster(seed: seed)
            let index = LintCluster(cluster.objects, policies: cluster.policies)
            for (outer, scope) in index.scopes.enumerated() {
                for (inner, other) in index.scopes.enumerated() where outer != inner {
                    guard let scope, let other, scope.covers(other) else { continue }
                    if !index.subjects[inner].isEmpty { found += 1 }
                    #expect(Set(index.subjects[outer]).isSuperset(of: index.subjects[inner]), "seed \(seed)")
                }
            }
        }
        #expect(found > 50)
    }

    @Test("Exceptions of a covering prefix must be exceptions of the covered one, or lie outside of it")
    func exceptions() throws {
        func cover(_ prefix: String, except: [String] = [], _ space: AddressSpace = .everywhere) throws -> PeerCover {
            let prefix = try #require(IPPrefix(parsing: prefix))
            let except = try except.map { try #require(IPPrefix(parsing: $0)) }
            return PeerCover(.anyOf([.addresses(prefix, except: except, space)]))
        }
        let wide = try cover("10.0.0.0/8", except: ["10.1.0.0/16"])
        #expect(wide.covers(try cover("10.2.0.0/16")))
        #expect(!wide.covers(try cover("10.1.2.0/24")))
        #expect(!wide.covers(try cover("10.0.0.0/8")))
        #expect(wide.covers(try cover("10.0.0.0/8", except: ["10.0.0.0/12"], .outsideCluster)))
        #expect(!(try cover("10.0.0.0/8", .outsideCluster)).covers(try cover("10.0.0.0/8")))
    }
}
