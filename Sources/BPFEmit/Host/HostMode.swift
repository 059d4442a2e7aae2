import CNetpoldABI

/// What becomes of packets of the node itself.
public enum HostMode: String, CaseIterable, Sendable {
    /// No policy is asked.
    case off
    /// Policies are asked, and what they refuse passes and is counted.
    case audit
    /// Policies are in force.
    case enforce

    /// `enum np_host_mode`.
    public var number: UInt32 {
        switch self {
        case .off: NP_HOST_OFF.rawValue
        case .audit: NP_HOST_AUDIT.rawValue
        case .enforce: NP_HOST_ENFORCE.rawValue
        }
    }

    /// The mode of a number; one that is none enforces, as programs take it.
    public init(number: UInt32) {
        self = HostMode.allCases.first { $0.number == number } ?? .enforce
    }
}
