/// What happened to a packet: `enum np_reason` of netpold_abi.h with the words people read. The one table of words; a
/// test holds it against the header and docs/reference/drop-reasons.md.
public enum VerdictReason: UInt8, Hashable, CaseIterable, Codable, Sendable {
    case established = 1
    case reply = 2
    case allowed = 3
    case revalidated = 4
    case related = 5
    case arp = 6
    case neighbourDiscovery = 7

    case policyDeny = 32
    case policyDefault = 33
    case l7Unavailable = 34
    case notReady = 35
    case noPolicyProgram = 36
    case noStep = 37
    case badVerdict = 38
    case spoofedSource = 39
    case truncated = 40
    case badHeader = 41
    case ethertype = 42
    case vlan = 43
    case extensionHeaders = 44
    case fragmentUnknown = 45
    case fragmentTiny = 46
    case conntrackFull = 47
    case internalError = 48
    case icmpInner = 49
    case sourceRoute = 50

    /// The reason with this number, `nil` for one this version does not know.
    public init?(wire: UInt8) { self.init(rawValue: wire) }

    /// Whether the packet was dropped. Unknown numbers of the dropping half are drops too.
    public var isDrop: Bool { VerdictReason.isDrop(wire: rawValue) }

    /// Whether a reason number is one of a drop.
    public static func isDrop(wire: UInt8) -> Bool { wire >= 32 }

    /// The reason in words, without final dot.
    public var sentence: String {
        switch self {
        case .established: "packet of a flow that is admitted already"
        case .reply: "answer of a flow that is admitted already"
        case .allowed: "a policy allows the new flow, or nothing isolates the pod"
        case .revalidated: "policies changed, and they still allow the known flow"
        case .related: "ICMP error about a flow that is admitted"
        case .arp: "ARP"
        case .neighbourDiscovery: "IPv6 neighbour discovery or multicast listener discovery of link scope"
        case .policyDeny: "a deny rule matches"
        case .policyDefault: "a policy isolates the pod and no rule allows the flow"
        case .l7Unavailable: "only rules with L7 conditions match, and no proxy is running"
        case .notReady: "the pod's policies are not in place yet"
        case .noPolicyProgram: "the pod's policy program is missing"
        case .noStep: "a step of the datapath is missing"
        case .badVerdict: "the policy program gave no known answer"
        case .spoofedSource: "the source address is not one of the pod's"
        case .truncated: "the packet is shorter than its headers say"
        case .badHeader: "version, header length or total length contradict each other"
        case .ethertype: "neither IPv4, IPv6 nor ARP"
        case .vlan: "VLAN-tagged frame"
        case .extensionHeaders: "too many IPv6 extension headers, or an unknown one"
        case .fragmentUnknown: "fragment of a datagram whose first fragment was not seen"
        case .fragmentTiny: "first fragment without its whole transport header, or one that would overwrite it"
        case .conntrackFull: "the flow could not be remembered"
        case .internalError: "a kernel helper failed that does not fail"
        case .icmpInner: "ICMP error whose embedded packet cannot be parsed"
        case .sourceRoute: "the header routes the packet on to another address than its destination"
        }
    }

    /// The name in netpold_abi.h.
    public var abiName: String {
        switch self {
        case .established: "NP_REASON_ESTABLISHED"
        case .reply: "NP_REASON_REPLY"
        case .allowed: "NP_REASON_ALLOWED"
        case .revalidated: "NP_REASON_REVALIDATED"
        case .related: "NP_REASON_RELATED"
        case .arp: "NP_REASON_ARP"
        case .neighbourDiscovery: "NP_REASON_NEIGHBOUR_DISCOVERY"
        case .policyDeny: "NP_DROP_POLICY_DENY"
        case .policyDefault: "NP_DROP_POLICY_DEFAULT"
        case .l7Unavailable: "NP_DROP_L7_UNAVAILABLE"
        case .notReady: "NP_DROP_NOT_READY"
        case .noPolicyProgram: "NP_DROP_NO_POLICY_PROGRAM"
        case .noStep: "NP_DROP_NO_STEP"
        case .badVerdict: "NP_DROP_BAD_VERDICT"
        case .spoofedSource: "NP_DROP_SPOOFED_SOURCE"
        case .truncated: "NP_DROP_TRUNCATED"
        case .badHeader: "NP_DROP_BAD_HEADER"
        case .ethertype: "NP_DROP_ETHERTYPE"
        case .vlan: "NP_DROP_VLAN"
        case .extensionHeaders: "NP_DROP_EXTENSION_HEADERS"
        case .fragmentUnknown: "NP_DROP_FRAGMENT_UNKNOWN"
        case .fragmentTiny: "NP_DROP_FRAGMENT_TINY"
        case .conntrackFull: "NP_DROP_CONNTRACK_FULL"
        case .internalError: "NP_DROP_INTERNAL"
        case .icmpInner: "NP_DROP_ICMP_INNER"
        case .sourceRoute: "NP_DROP_SOURCE_ROUTE"
        }
    }

    /// Words for any reason number.
    public static func sentence(wire: UInt8) -> String {
        VerdictReason(wire: wire)?.sentence ?? "reason \(wire), which this version of netpold has no words for"
    }

    /// The page docs/reference/drop-reasons.md.
    public static var referencePage: String {
        var page = """
            # Reasons

            What `netpold monitor` and `netpold status` say about a packet, by `enum np_reason` of netpold_abi.h. Made from
            `VerdictReason.swift`; a test fails when the two differ.

            | number | name | packet | meaning |
            |---|---|---|---|

            """
        for reason in allCases {
            page += "| \(reason.rawValue) | `\(reason.abiName)` | \(reason.isDrop ? "dropped" : "passed") | "
            page += "\(reason.sentence) |\n"
        }
        return page
    }
}
