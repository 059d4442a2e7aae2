import BPFEmit
import NetTypes
import PolicyAPI

/// The cluster that the packet bench measures in: 10,000 ends one after the other from 10.128.0.0 on, each with an identity of
/// its own, and policies of 1,000 rules. Rule `r` allows TCP with every end whose number is `r` modulo the rules, each rule its
/// own port; the last one, `port`, also with every even end. So odd ends are denied there, but only after the whole policy was
/// asked.
enum PacketBenchPolicy {
    static let rules = 1_000
    static let ends = 10_000
    static let firstEnd: UInt32 = 0x0a80_0000
    static let firstIdentity: UInt32 = 1000
    static let pod = IPAddress(ipv4: 0x0a00_0001)
    /// Where the pod serves.
    static let port: UInt16 = 80

    static var addresses: [(address: IPAddress, identity: UInt32)] {
        (0..<UInt32(ends)).map { (IPAddress(ipv4: firstEnd + $0), firstIdentity + $0) }
    }

    /// The subject of a pod with such policies.
    static func subject(_ policies: PacketBenchCase.Policies) throws(EmitError) -> SubjectImage {
        let egress =
            switch policies {
            case .ingressOnly: PolicyBits(direction: .egress, isolatedBy: [], bits: [], hostBit: nil, peers: [])
            case .bothDirections: bits(.egress)
            }
        return SubjectImage(
            key: "\(policies)", ingress: try PolicyEmitter.emit(bits(.ingress)), egress: try PolicyEmitter.emit(egress))
    }

    private static func bits(_ direction: Direction) -> PolicyBits {
        let origin = RuleOrigin(kind: "NetworkPolicy", namespace: "bench", name: "bench", path: "spec")
        let last = rules - 1
        let words = (rules + 63) / 64
        let bits = (0..<rules).map { rule in
            PolicyBits.Bit(
                rule: RuleBit(rule: rule, action: .allow, isL7: false, origin: origin), tier: .normal, priority: 0,
                matchesAnyPeer: false, traffic: [.init(.tcp, PortRange(rule == last ? port : UInt16(1000 + rule)))])
        }
        let peers = (0..<ends).compactMap { end -> PeerEntry? in
            var row = [UInt64](repeating: 0, count: words)
            let own = end % rules
            if own != last { row[own / 64] |= 1 << UInt64(own % 64) }
            if end % 2 == 0 { row[last / 64] |= 1 << UInt64(last % 64) }
            return row.allSatisfy { $0 == 0 }
                ? nil : PeerEntry(identity: firstIdentity + UInt32(end), words: row)
        }
        return PolicyBits(direction: direction, isolatedBy: [origin], bits: bits, hostBit: nil, peers: peers)
    }
}
