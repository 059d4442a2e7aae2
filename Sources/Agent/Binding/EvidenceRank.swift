/// How far a piece of evidence can be trusted to say which pod an interface is, weakest first.
public enum EvidenceRank: Int, Hashable, Codable, Sendable, CaseIterable, Comparable {
    /// The namespace itself shows an address of the pod. Whoever rules in it can show any: good for a first binding where
    /// nothing else is known, and for nothing after it.
    case insideAddress = 1
    /// The host sends to an address of the pod over the interface.
    case hostRoute
    /// Programs that an earlier agent pinned at the interface let an address of the pod pass.
    case pinnedEndpoint
    /// The runtime gave the interface an address of the pod, and did not note for whom.
    case cniAddress
    /// Processes in the namespace are in the pod's cgroup.
    case podCgroup
    /// libcni's result cache names the pod.
    case cniCache
    /// netpold's own CNI plugin was called for the pod.
    case cniRecord

    /// By trust.
    public static func < (left: EvidenceRank, right: EvidenceRank) -> Bool { left.rawValue < right.rawValue }

    /// Its name in the local API.
    public var name: String {
        switch self {
        case .insideAddress: "insideAddress"
        case .hostRoute: "hostRoute"
        case .pinnedEndpoint: "pinnedEndpoint"
        case .cniAddress: "cniAddress"
        case .podCgroup: "podCgroup"
        case .cniCache: "cniCache"
        case .cniRecord: "cniRecord"
        }
    }

    /// What it is, for messages.
    public var text: String {
        switch self {
        case .insideAddress: "the addresses inside"
        case .hostRoute: "the host's routes"
        case .pinnedEndpoint: "an earlier agent's pinned endpoint"
        case .cniAddress: "the addresses in the CNI result cache"
        case .podCgroup: "the cgroup of its processes"
        case .cniCache: "the CNI result cache"
        case .cniRecord: "netpold's CNI record"
        }
    }
}
