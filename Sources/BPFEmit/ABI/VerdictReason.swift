import CNetpoldABI

/// What happened to a packet: a reason of the table in netpold_abi.h, which has its number and its words.
public enum VerdictReason: ABIEnumeration {
    case established
    case reply
    case allowed
    case revalidated
    case related
    case arp
    case neighbourDiscovery
    case hairpin
    case transit
    case hostAudit
    case failsafe

    case policyDeny
    case policyDefault
    case l7Unavailable
    case notReady
    case noPolicyProgram
    case noStep
    case badVerdict
    case spoofedSource
    case truncated
    case badHeader
    case ethertype
    case vlan
    case extensionHeaders
    case fragmentUnknown
    case fragmentTiny
    case conntrackFull
    case internalError
    case icmpInner
    case sourceRoute
    case arpInvalid
    case arpSpoofed
    case arpTarget
    case neighbourSpoofed
    case foreignSource
    case noBackend
    case untranslatable
    case nameDenied
    case dnsQuery
    case dnsAnswer
    case serverName
    case hello
    case helloOrder
    case synData
    case notProxied
    case proxyUnknown
    case nameRoom
    case checksumPlace
    case nameStream
    case transitFull
    case tunnel

    /// `np_event.reason`, and the index of np_reasons.
    public var rawValue: UInt8 { UInt8(enumerator.rawValue) }

    private var enumerator: np_reason {
        switch self {
        case .established: NP_REASON_ESTABLISHED
        case .reply: NP_REASON_REPLY
        case .allowed: NP_REASON_ALLOWED
        case .revalidated: NP_REASON_REVALIDATED
        case .related: NP_REASON_RELATED
        case .arp: NP_REASON_ARP
        case .neighbourDiscovery: NP_REASON_NEIGHBOUR_DISCOVERY
        case .hairpin: NP_REASON_HAIRPIN
        case .transit: NP_REASON_TRANSIT
        case .hostAudit: NP_REASON_HOST_AUDIT
        case .failsafe: NP_REASON_FAILSAFE
        case .policyDeny: NP_DROP_POLICY_DENY
        case .policyDefault: NP_DROP_POLICY_DEFAULT
        case .l7Unavailable: NP_DROP_L7_UNAVAILABLE
        case .notReady: NP_DROP_NOT_READY
        case .noPolicyProgram: NP_DROP_NO_POLICY_PROGRAM
        case .noStep: NP_DROP_NO_STEP
        case .badVerdict: NP_DROP_BAD_VERDICT
        case .spoofedSource: NP_DROP_SPOOFED_SOURCE
        case .truncated: NP_DROP_TRUNCATED
        case .badHeader: NP_DROP_BAD_HEADER
        case .ethertype: NP_DROP_ETHERTYPE
        case .vlan: NP_DROP_VLAN
        case .extensionHeaders: NP_DROP_EXTENSION_HEADERS
        case .fragmentUnknown: NP_DROP_FRAGMENT_UNKNOWN
        case .fragmentTiny: NP_DROP_FRAGMENT_TINY
        case .conntrackFull: NP_DROP_CONNTRACK_FULL
        case .internalError: NP_DROP_INTERNAL
        case .icmpInner: NP_DROP_ICMP_INNER
        case .sourceRoute: NP_DROP_SOURCE_ROUTE
        case .arpInvalid: NP_DROP_ARP_INVALID
        case .arpSpoofed: NP_DROP_ARP_SPOOFED
        case .arpTarget: NP_DROP_ARP_TARGET
        case .neighbourSpoofed: NP_DROP_NEIGHBOUR_SPOOFED
        case .foreignSource: NP_DROP_FOREIGN_SOURCE
        case .noBackend: NP_DROP_NO_BACKEND
        case .untranslatable: NP_DROP_UNTRANSLATABLE
        case .nameDenied: NP_DROP_NAME_DENIED
        case .dnsQuery: NP_DROP_DNS_QUERY
        case .dnsAnswer: NP_DROP_DNS_ANSWER
        case .serverName: NP_DROP_SERVER_NAME
        case .hello: NP_DROP_HELLO
        case .helloOrder: NP_DROP_HELLO_ORDER
        case .synData: NP_DROP_SYN_DATA
        case .notProxied: NP_DROP_NOT_PROXIED
        case .proxyUnknown: NP_DROP_PROXY_UNKNOWN
        case .nameRoom: NP_DROP_NAME_ROOM
        case .checksumPlace: NP_DROP_CHECKSUM_PLACE
        case .nameStream: NP_DROP_NAME_STREAM
        case .transitFull: NP_DROP_TRANSIT_FULL
        case .tunnel: NP_DROP_TUNNEL
        }
    }

    /// Whether the packet was dropped.
    public var isDrop: Bool { VerdictReason.isDrop(wire: rawValue) }

    /// Whether a reason number is one of a drop. Unknown numbers of the dropping half are drops too.
    public static func isDrop(wire number: UInt8) -> Bool { UInt32(number) >= NP_REASON_FIRST_DROP.rawValue }

    /// The name in netpold_abi.h; of a number this version does not know, the number.
    public static func name(wire number: UInt8) -> String {
        np_reason_name(number).map { String(cString: $0) } ?? "\(number)"
    }

    /// The reason in words, without final dot; also for a number this version does not know.
    public static func sentence(wire number: UInt8) -> String {
        np_reason_text(number).map { String(cString: $0) }
            ?? "reason \(number), which this version of netpold has no words for"
    }
}
