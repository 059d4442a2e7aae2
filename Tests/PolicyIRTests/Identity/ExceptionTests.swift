import NetTypes
import NetpoldTestSupport
import PolicyAPI
import Testing

@testable import PolicyIR

/// Prefixes with exceptions: what is found by order is what looking at each exception finds.
@Suite("Exceptions of prefixes")
struct ExceptionTests {
    private static func prefixes(_ count: Int, _ random: inout SplitMix64) -> [IPPrefix] {
        var found: [IPPrefix] = []
        while found.count < count {
            let address = host(&random)
            let length = random.below(address.isIPv4 ? 17 : 25)
            if let prefix = IPPrefix(address, length: length) { found.append(prefix) }
        }
        return found
    }

    /// An address that exceptions tell apart from others.
    private static func host(_ random: inout SplitMix64) -> IPAddress {
        let bits = UInt32(random.below(256))
        if random.once(in: 3) { return IPAddress(high: 0xfd00_0000_0000_0000 | UInt64(bits) << 40, low: 1) }
        return IPAddress(ipv4: 0x0a00_0001 | bits << 16)
    }

    private static func peer(
        _ exceptions: Int, _ space: AddressSpace, _ random: inout SplitMix64
    ) throws -> Peer {
        let outer = try #require(prefixes(1, &random).first)
        return .addresses(outer, except: prefixes(exceptions, &random), space)
    }

    private static func holds(_ peer: Peer, _ prefix: IPPrefix) -> Bool {
        guard case .addresses(let outer, let except, _) = peer else { return false }
        return outer.contains(prefix) && !except.contains { $0.contains(prefix) }
    }

    private static func policy(_ peers: [Peer]) -> LoweredPolicy {
        let origin = RuleOrigin(kind: "NetworkPolicy", namespace: "a", name: "b", path: "spec")
        return LoweredPolicy(
            subject: .pods(.named("a"), LabelSelector()), ingress: nil,
            egress: DirectionRules(
                isolates: true,
                rules: [PolicyRule(action: .allow, peers: .anyOf(peers), traffic: .everything, origin: origin)]),
            origin: origin)
    }

    @Test(
        "outside the cluster a term matches the entries that are in its prefix and in no exception", arguments: 0..<60)
    func outside(seed: Int) throws {
        var random = SplitMix64(seed: UInt64(seed))
        var peers: [Peer] = []
        for _ in 0..<8 {
            let exceptions = random.pick([0, 1, 3, 17, 40])
            let space: AddressSpace = random.pick([.everywhere, .outsideCluster])
            peers.append(try Self.peer(exceptions, space, &random))
        }
        var index = IdentityIndex(localNode: "n")
        index.mention(Self.policy(peers))
        _ = index.settle()
        var pods: [(remote: IdentityIndex.RemoteID, address: IPPrefix)] = []
        for number: UInt32 in 0..<20 {
            let address = IPAddress(ipv4: 0x0a00_0001 | number * 13 << 16)
            let podClass = index.podClass(of: Pod(metadata: ObjectMeta(name: "p\(number)", namespace: "a")))
            let remote = index.remote(of: podClass, at: address)
            index.retain(remote)
            pods.append((remote, IPPrefix(host: address)))
        }
        let entries = index.outside.entries.prefixes.filter { index.outside.entries.number(of: $0) != nil }
        for peer in peers {
            guard case .addresses(_, _, let space) = peer else { continue }
            let known = index.term(of: peer)
            let term = try #require(known)
            let found = index.matches(of: term)
            var naive: Set<IdentityIndex.RemoteID> = []
            for entry in entries where Self.holds(peer, entry) {
                let number = try #require(index.outside.entries.number(of: entry))
                naive.insert(index.outside.remoteOfEntry[Int(number)])
            }
            if space == .everywhere { for pod in pods where Self.holds(peer, pod.address) { naive.insert(pod.remote) } }
            #expect(Set(found) == naive && found.count == naive.count, "\(peer)")
            for remote in 0..<IdentityIndex.RemoteID(index.remoteCount) where index.isLive(remote) {
                #expect(index.matches(term, remote) == naive.contains(remote), "\(peer) \(index.text(of: remote))")
            }
        }
    }

    @Test(
        "peers of one prefix with other exceptions are one, which matches what any of them matches", arguments: 0..<200)
    func joined(seed: Int) throws {
        var random = SplitMix64(seed: UInt64(seed))
        let outer = Self.prefixes(2, &random)
        var peers: [Peer] = []
        for _ in 0...random.below(6) {
            let except = Self.prefixes(random.below(13), &random)
            peers.append(.addresses(random.pick(outer), except: except, random.pick([.everywhere, .outsideCluster])))
        }
        let joined = ([.entity(.host)] + peers).withJoinedPrefixes
        #expect(joined.first == .entity(.host))
        for space in [AddressSpace.everywhere, .outsideCluster] {
            func isOf(_ peer: Peer) -> Bool {
                if case .addresses(_, _, let own) = peer { own == space } else { false }
            }
            var seen: Set<IPPrefix> = []
            for peer in joined where isOf(peer) {
                guard case .addresses(let outer, _, _) = peer else { continue }
                #expect(seen.insert(outer).inserted)
            }
            for _ in 0..<200 {
                let asked = IPPrefix(host: Self.host(&random))
                let now = joined.contains { isOf($0) && Self.holds($0, asked) }
                let before = peers.contains { isOf($0) && Self.holds($0, asked) }
                #expect(now == before, "\(asked) \(peers)")
            }
        }
    }

    @Test("4,000 peers that are the world with an exception each are one without")
    func manyJoined() throws {
        let world = try prefix("0.0.0.0/0")
        var peers: [Peer] = []
        for number: UInt32 in 0..<4_000 {
            peers.append(.addresses(world, except: [IPPrefix(host: IPAddress(ipv4: number))], .everywhere))
        }
        #expect(peers.withJoinedPrefixes == [.addresses(world, except: [], .everywhere)])
        // Alone they are as they were.
        #expect([peers[7]].withJoinedPrefixes == [peers[7]])
    }
}
