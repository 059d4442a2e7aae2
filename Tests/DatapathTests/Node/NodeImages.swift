import BPFEmit
import NetTypes
import NetpoldTestSupport
import PolicyAPI

@testable import Datapath

/// Small images for the loader's tests.
enum NodeImages {
    static let client = IPAddress(ipv4: 0x0a00_0001)
    static let stranger = IPAddress(ipv4: 0x0a00_0002)
    static let web = IPAddress(ipv4: 0x0a00_0063)
    static let outside = IPAddress(ipv4: 0xc633_6401)
    static let clientID: UInt32 = 300
    static let strangerID: UInt32 = 301
    static let webID: UInt32 = 302
    static let world: UInt32 = 2

    static let webKey = EndpointKey(namespace: "shop", name: "web")

    static func origin(_ name: String, _ path: String = "") -> RuleOrigin {
        RuleOrigin(kind: "NetworkPolicy", namespace: "shop", name: name, path: path)
    }

    static func bit(
        _ number: Int, _ action: RuleAction = .allow, l7: Bool = false, anyPeer: Bool = false,
        port: UInt16? = nil, protocol: L4Protocol = .tcp
    ) -> PolicyBits.Bit {
        PolicyBits.Bit(
            rule: RuleBit(rule: number, action: action, isL7: l7, origin: origin("rule-\(number)")), tier: .normal,
            priority: 0, matchesAnyPeer: anyPeer,
            traffic: port.map { [.init(`protocol`, PortRange($0))] })
    }

    /// A policy of `bits`, isolating if there is any allow.
    static func policy(
        _ direction: Direction, _ bits: [PolicyBits.Bit], peers: [UInt32: UInt64], isolated: Bool = true
    ) throws -> PolicyImage {
        try PolicyEmitter.emit(
            PolicyBits(
                direction: direction, isolatedBy: isolated ? [origin("isolation")] : [], bits: bits, hostBit: nil,
                peers: peers.sorted { $0.key < $1.key }.map { PeerEntry(identity: $0.key, words: [$0.value]) }))
    }

    static func open(_ direction: Direction) throws -> PolicyImage {
        try policy(direction, [], peers: [:], isolated: false)
    }

    static func subject(_ key: String = "web", ingress: PolicyImage, egress: PolicyImage? = nil) throws -> SubjectImage
    {
        SubjectImage(key: key, ingress: ingress, egress: try egress ?? open(.egress))
    }

    static func endpoint(
        _ name: String, _ address: IPAddress, subject: String = "web", identity: UInt32 = webID, uid: String = ""
    ) -> EndpointImage {
        EndpointImage(
            namespace: "shop", name: name, uid: uid, addresses: [address], subject: subject, identity: identity)
    }

    static func addresses(_ entries: [(IPAddress, UInt32)]) -> [AddressEntry] {
        entries.map { AddressEntry(address: $0.0, identity: $0.1) }.sorted { $0.address < $1.address }
    }

    /// Pods client, stranger and web, the world around them, and these subjects and local pods.
    static func node(
        subjects: [SubjectImage], endpoints: [EndpointImage]? = nil, addresses: [(IPAddress, UInt32)]? = nil,
        prefixes: [(IPPrefix, UInt32)] = []
    ) throws -> NodeImage {
        let entries = addresses ?? [(client, clientID), (stranger, strangerID), (web, webID)]
        var prefixes = prefixes
        for family in [IPAddress(ipv4: 0), IPAddress(high: 0, low: 0)] {
            if let all = IPPrefix(family, length: 0) { prefixes.append((all, world)) }
        }
        return NodeImage(
            identities: [], addresses: self.addresses(entries),
            prefixes: prefixes.map { PrefixEntry(prefix: $0.0, identity: $0.1) }.sorted { $0.prefix < $1.prefix },
            subjects: subjects, endpoints: endpoints ?? [endpoint("web", web)])
    }

    /// Web lets clients in on TCP 80, everybody on TCP 443.
    static func shop() throws -> NodeImage {
        let ingress = try policy(
            .ingress, [bit(0, port: 80), bit(1, anyPeer: true, port: 443)], peers: [clientID: 1])
        return try node(subjects: [subject(ingress: ingress)])
    }

    /// The same, and web may begin nothing by itself: its answers need flow entries.
    static func closedShop() throws -> NodeImage {
        let ingress = try policy(
            .ingress, [bit(0, port: 80), bit(1, anyPeer: true, port: 443)], peers: [clientID: 1])
        return try node(subjects: [subject(ingress: ingress, egress: policy(.egress, [], peers: [:]))])
    }
}
