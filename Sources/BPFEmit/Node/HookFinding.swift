public import NetTypes

/// A hook of this instance at which not every packet is decided as the image says.
public struct HookFinding: Hashable, Sendable {
    /// What is wrong.
    public enum Problem: Hashable, Sendable {
        /// These run before netpold's program, in order: what they pass or redirect is never asked about.
        case preceded(by: [String])
        /// No program of netpold is there.
        case missing
        /// The hook could not be looked at, and why.
        case unreadable(String)
        /// No pod of the image is there: everything is dropped until one is, or the instance is detached.
        case withoutPod
    }

    /// The interface.
    public var ifindex: UInt32
    /// The policy that is decided at the hook.
    public var direction: Direction
    /// The pod; `nil` where there is none.
    public var key: EndpointKey?
    /// What is wrong.
    public var problem: Problem

    /// A finding.
    public init(ifindex: UInt32, direction: Direction, key: EndpointKey?, problem: Problem) {
        self.ifindex = ifindex
        self.direction = direction
        self.key = key
        self.problem = problem
    }

    /// Whether packets may pass that no policy was asked about.
    public var isOpen: Bool {
        switch problem {
        case .preceded, .missing, .unreadable: true
        case .withoutPod: false
        }
    }
}

extension HookFinding: CustomStringConvertible {
    /// In words.
    public var description: String {
        let place = "interface \(ifindex) (\(direction == .egress ? "from" : "to") pod)"
        switch problem {
        case .preceded(let others):
            return
                "\(place): \(others.joined(separator: ", ")) runs before netpold, and what it passes is not decided by policies"
        case .missing: return "\(place): no program of netpold is attached"
        case .unreadable(let reason): return "\(place): cannot be looked at: \(reason)"
        case .withoutPod: return "\(place): it belongs to no pod any more, and everything is dropped there"
        }
    }
}
