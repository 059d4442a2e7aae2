import BPFEmit
import NetTypes
import PolicyAPI

/// The cluster that the packet bench measures in: senders one after the other from 10.128.0.0 on, each with an identity of its
/// own. Rule `r` allows TCP from every sender whose number is `r` modulo the rules, each rule its own port; the last one,
/// port 80, also every even sender. So odd senders are denied at port 80, but only after the whole policy was asked.
struct PacketBenchPolicy {
    var rules: Int
    var identities: Int

    static let firstSender: UInt32 = 0x0a80_0000
    static let firstIdentity: UInt32 = 1000
    static let pod = IPAddress(ipv4: 0x0a00_0001)
    static let port: UInt16 = 80

    var senders: [(address: IPAddress, identity: UInt32)] {
        (0..<UInt32(identities)).map { (IPAddress(ipv4: Self.firstSender + $0), Self.firstIdentity + $0) }
    }

    /// The ingress policy.
    var bits: PolicyBits {
        let origin = RuleOrigin(kind: "NetworkPolicy", namespace: "bench", name: "bench", path: "spec")
        let last = rules - 1
        let words = (rules + 63) / 64
        let bits = (0..<rules).map { rule in
            PolicyBits.Bit(
                rule: RuleBit(rule: rule, action: .allow, isL7: false, origin: origin), tier: .normal, priority: 0,
                matchesAnyPeer: false,
                traffic: [.init(.tcp, PortRange(rule == last ? Self.port : UInt16(1000 + rule)))])
        }
        let peers = (0..<identities).compactMap { sender -> PeerEntry? in
            var row = [UInt64](repeating: 0, count: words)
            let own = sender % rules
            if own != last { row[own / 64] |= 1 << UInt64(own % 64) }
            if sender % 2 == 0 { row[last / 64] |= 1 << UInt64(last % 64) }
            return row.allSatisfy { $0 == 0 }
                ? nil : PeerEntry(identity: Self.firstIdentity + UInt32(sender), words: row)
        }
        return PolicyBits(direction: .ingress, isolatedBy: [origin], bits: bits, hostBit: nil, peers: peers)
    }
}
