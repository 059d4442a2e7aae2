import BPFEmit
import Datapath
import LabKit
import NetTypes
import PolicyAPI
import PolicyIR

/// What a test says DNS has answered so far, given to pods as DNS gives it: by queries and answers through the loaded programs. For
/// this every pod may ask a resolver that nobody else knows.
struct KnownNames {
    private static let port: UInt16 = 53_053
    /// Reserved, and discarded: no object has them.
    private static let resolvers = [IPAddress(ipv4: 0xf000_0053), IPAddress(high: 0x0100 << 48, low: 0x53)]

    /// Names and their addresses.
    let names: [String: [IPAddress]]

    /// The names of a test; nothing where no policy has names for peers.
    init(_ names: [String: [IPAddress]], policies: [LoweredPolicy]) {
        let rules = policies.flatMap { $0.egress?.rules ?? [] }
        let areUsed = rules.contains { rule in
            guard case .anyOf(let peers) = rule.peers else { return false }
            return peers.contains { if case .names = $0 { true } else { false } }
        }
        self.names = areUsed ? names : [:]
    }

    /// The policy that lets every pod ask, with a DNS rule for every name. It isolates nobody, and no flow of a test goes there.
    var policies: [LoweredPolicy] {
        guard !names.isEmpty else { return [] }
        let origin = RuleOrigin(kind: "PolicyTest", namespace: "", name: "names", path: "spec.names")
        let peers = Self.resolvers.map { PeerMatch.anyOf([.addresses(IPPrefix(host: $0), except: [], .everywhere)]) }
        let rules = peers.map { peer in
            PolicyRule(
                action: .allow, peers: peer, traffic: .anyOf([.ports(.udp, PortRange(Self.port))]),
                l7: .dns([Located(.pattern("*"))]), origin: origin)
        }
        return [
            LoweredPolicy(
                subject: .endpoints(LabelSelector()), ingress: nil,
                egress: DirectionRules(isolates: false, rules: rules), origin: origin)
        ]
    }

    /// Lets a pod ask for every name, over the family that it has.
    ///
    /// - Returns: whether it was let.
    func teach(_ pod: EndpointKey, isIPv4: Bool, _ kernel: KernelDecider) throws -> Bool {
        guard let resolver = Self.resolvers.first(where: { $0.isIPv4 == isIPv4 }) else { return false }
        for (number, name) in names.keys.sorted().enumerated() {
            for wantsIPv4 in [true, false] {
                let id = UInt16(truncatingIfNeeded: 2 * number + (wantsIPv4 ? 0 : 1))
                let query = DNSMessage.query(name, isIPv4: wantsIPv4, id: id)
                guard let answer = DNSMessage.answer(to: query, names),
                    try kernel.exchange(pod, resolver: resolver, port: Self.port, query: query, answer: answer)
                else { return false }
            }
        }
        return true
    }
}
