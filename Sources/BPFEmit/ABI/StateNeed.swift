import CNetpoldABI

/// Whether packets of a direction that policy allows need a flow entry, so that the answers to them pass the opposite
/// direction. In ascending order of what a packet costs.
public enum StateNeed: ABIEnumeration, Comparable {
    /// The opposite direction lets everything pass by itself.
    case never
    /// Where the opposite direction's policy does not allow the answer in its own right.
    case mirror
    /// As `mirror`, and most answers are not, so the entry is looked for first.
    case always

    /// `enum np_state_need`.
    public var rawValue: UInt32 {
        switch self {
        case .never: NP_STATE_NEVER.rawValue
        case .mirror: NP_STATE_MIRROR.rawValue
        case .always: NP_STATE_ALWAYS.rawValue
        }
    }

    /// By what a packet costs.
    public static func < (left: StateNeed, right: StateNeed) -> Bool { left.rawValue < right.rawValue }
}
