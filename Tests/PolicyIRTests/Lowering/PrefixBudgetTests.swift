import NetTypes
import NetpoldTestSupport
import PolicyAPI
import Testing

@testable import PolicyIR

/// Policies that together name more prefixes than there is room for: those are closed that are in the way, the others are as written.
@Suite struct PrefixBudgetTests {
    /// A NetworkPolicy that allows addresses to the pods of a namespace.
    private static func policy(_ namespace: String, _ name: String, _ addresses: Range<UInt32>) -> NetworkPolicy {
        NetworkPolicy(
            metadata: ObjectMeta(
                name: name, namespace: namespace,
                location: SourceLocation(file: "\(namespace).yaml", line: 7, column: 1)),
            podSelector: LabelSelector(), policyTypes: [.ingress],
            ingress: [
                NetworkPolicyRule(
                    peers: addresses.map { .ipBlock(cidr: IPPrefix(host: IPAddress(ipv4: $0)), except: []) }, ports: [],
                    path: "spec.ingress[0]")
            ],
            egress: [])
    }

    private static func cluster(_ policies: [NetworkPolicy]) -> ClusterObjects {
        var objects = ClusterObjects()
        objects.networkPolicies = policies
        return objects
    }

    @Test("the four policies of 70,000 addresses: one has room, three are closed, everybody else's are as written")
    func flood() throws {
        var flood: [NetworkPolicy] = []
        for number: UInt32 in 0..<4 {
            flood.append(Self.policy("evil", "p\(number)", number * 70_000..<(number + 1) * 70_000))
        }
        let other = Self.policy("shop", "web", 900_000..<920_000)
        let lowered = PolicyLowering.lower(Self.cluster(flood + [other]))
        #expect(lowered.policies.filter(\.origin.isRefused).map(\.origin.name) == ["p1", "p2", "p3"])
        #expect(lowered.policies.last == PolicyLowering.lower(other))
        let found = try #require(lowered.diagnostics.first)
        #expect(lowered.diagnostics.map(\.id) == [.tooManyPrefixes, .tooManyPrefixes, .tooManyPrefixes])
        #expect(found.severity == .error)
        #expect(found.location == flood[1].metadata.location)
        #expect(
            found.message
                == "NetworkPolicy evil/p1: no room for its prefixes, 70000; all policies together may name 126976. So it is closed: "
                + "the pods that it selects are isolated")
        #expect(found.hint == "use fewer and larger prefixes, here or in other policies of namespace evil")
    }

    @Test("what is closed is what a refused policy is, whatever its kind, and denies at least what it denied")
    func standIns() throws {
        let decoded = decode(
            ciliumPolicy(
                """
                endpointSelector: {}
                ingressDeny: [{fromCIDR: [192.0.2.0/24, 198.51.100.0/24]}]
                egress: [{toCIDR: [192.0.2.1/32]}]
                """)
                + clusterPolicy(
                    """
                    egress:
                      - {action: Deny, to: [{networks: [192.0.2.0/24, 203.0.113.0/24]}]}
                      - {action: Accept, to: [{networks: [10.0.0.0/8]}]}
                    """))
        #expect(decoded.diagnostics.isEmpty, "\(decoded.diagnostics)")
        let lowered = PolicyLowering.lower(decoded.objects, prefixLimit: 1)
        let expected =
            decoded.objects.clusterPolicies.map(ClusterObject.clusterPolicy)
            + decoded.objects.ciliumPolicies.map(ClusterObject.ciliumPolicy)
        #expect(lowered.policies == expected.flatMap { PolicyLowering.lowerRefused(PolicyRefusal.closing($0)) })
        let rules = lowered.policies.flatMap { ($0.ingress?.rules ?? []) + ($0.egress?.rules ?? []) }
        #expect(rules.map(\.action) == [.deny, .deny])
        #expect(lowered.diagnostics.count == 2)
        #expect(PolicyLowering.lower(decoded.objects, for: .enforcement, prefixLimit: 1) == lowered)
        #expect(PolicyLowering.lower(decoded.objects, prefixLimit: 5).diagnostics.isEmpty)
    }

    @Test("in the place of a host policy stands nothing, and that is said as of one that is not enforced")
    func hostPolicy() {
        let decoded = decode(
            ciliumPolicy(
                """
                nodeSelector: {}
                ingress: [{fromCIDR: [192.0.2.0/24, 198.51.100.0/24]}]
                """, isClusterwide: true))
        let lowered = PolicyLowering.lower(decoded.objects, prefixLimit: 1)
        #expect(lowered.policies.isEmpty)
        #expect(lowered.diagnostics.map(\.id) == [.hostPolicy])
    }

    @Test("a policy comes back as written when another one goes, and the change says so")
    func comesBack() {
        let (large, small) = (Self.policy("a", "large", 0..<30), Self.policy("b", "small", 50..<70))
        var book = PolicyBook(Self.cluster([large, small]), prefixLimit: 40)
        let keys = [large, small].map { ClusterObject.networkPolicy($0).key }
        #expect(book.withoutRoom.keys.map(\.name) == ["large"])
        #expect(book.errors.keys.map(\.name) == ["large"])
        let other = Self.policy("b", "small", 50..<60)
        book.set(.networkPolicy(other))
        let changes = book.takeChanges()
        #expect(changes.map(\.key) == keys)
        #expect(changes.map(\.after) == [[PolicyLowering.lower(large)], [PolicyLowering.lower(other)]])
        #expect(changes.first?.before.first?.origin.isRefused == true)
        #expect(book.errors.isEmpty && book.diagnostics.isEmpty)
        // What touches no prefix flips nobody.
        let plain = NetworkPolicy(
            metadata: ObjectMeta(name: "plain", namespace: "c"), podSelector: LabelSelector(), policyTypes: [.ingress],
            ingress: [], egress: [])
        book.set(.networkPolicy(plain))
        #expect(book.takeChanges().map(\.key.name) == ["plain"])
        book.set(.networkPolicy(small))
        #expect(book.takeChanges().map(\.key) == keys)
        book.set([], for: keys[0])
        #expect(book.takeChanges().map(\.key) == [keys[0]])
        #expect(book.withoutRoom.isEmpty)
    }

    @Test("policies that name the same prefixes take room once, however many they are")
    func shared() {
        var book = PolicyBook(
            Self.cluster((0..<50).map { Self.policy("tenant-\($0)", "list", 0..<100) }), prefixLimit: 110)
        #expect(book.withoutRoom.isEmpty)
        book.set(.networkPolicy(Self.policy("evil", "list", 1000..<1011)))
        // Each of the fifty would have to go before there is room.
        _ = book.takeChanges()
        #expect(book.withoutRoom.keys.map(\.namespace) == ["evil"])
    }
}
