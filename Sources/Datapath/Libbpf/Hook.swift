import CLibBPF
public import NetTypes

/// One of the two places at the host side of a pod's veth where its packets are decided.
public struct Hook: Hashable, Sendable {
    /// The interface.
    public let ifindex: UInt32
    /// The policy that is decided there: `egress` for `from_pod`, `ingress` for `to_pod`.
    public let direction: Direction

    /// A hook.
    public init(ifindex: UInt32, direction: Direction) {
        self.ifindex = ifindex
        self.direction = direction
    }

    /// Both hooks of an interface.
    public static func both(of ifindex: UInt32) -> [Hook] {
        Direction.allCases.map { Hook(ifindex: ifindex, direction: $0) }
    }

    /// The same place as the interface sees it: what a pod sends, the host's side receives. The one conversion.
    var side: TCXDirection { direction == .egress ? .ingress : .egress }

    /// The file name of a link's pin.
    var pinName: String { "\(ifindex)-\(direction == .egress ? "from-pod" : "to-pod")" }

    /// Reads a pin's file name.
    init?(pinName: String) {
        let parts = pinName.split(separator: "-", maxSplits: 1)
        guard parts.count == 2, let ifindex = UInt32(parts[0]) else { return nil }
        switch parts[1] {
        case "from-pod": self.init(ifindex: ifindex, direction: .egress)
        case "to-pod": self.init(ifindex: ifindex, direction: .ingress)
        default: return nil
        }
    }
}

extension Hook: CustomStringConvertible {
    /// `interface 7 (from pod)`.
    public var description: String { "interface \(ifindex) (\(direction == .egress ? "from" : "to") pod)" }
}

/// The two hooks of an interface, as the kernel numbers them. The installed headers are older than TCX.
enum TCXDirection {
    /// What the host receives from the pod.
    case ingress
    /// What the host sends to the pod.
    case egress

    /// `BPF_TCX_INGRESS` (46) and `BPF_TCX_EGRESS` (47).
    var attachType: bpf_attach_type { bpf_attach_type(rawValue: self == .ingress ? 46 : 47) }
}
