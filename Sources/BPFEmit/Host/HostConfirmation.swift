/// Whether the mode that programs read holds, or is to be confirmed. The state is what np_host says: it outlives the agent, and
/// the programs themselves give a mode up that nobody has confirmed in time.
public enum HostConfirmation: Hashable, Sendable {
    /// The mode holds.
    case settled(HostMode)
    /// It is in force until a time, ns of CLOCK_MONOTONIC; then the former one is.
    case pending(HostMode, former: HostMode, until: UInt64)
    /// Nobody has confirmed it: the former one is in force.
    case expired(HostMode, former: HostMode)

    /// What np_host says at a time.
    public init(mode: HostMode, former: HostMode, until: UInt64, now: UInt64) {
        if until == 0 {
            self = .settled(mode)
        } else if now < until {
            self = .pending(mode, former: former, until: until)
        } else {
            self = .expired(mode, former: former)
        }
    }

    /// What is to be written down.
    public enum Action: Hashable, Sendable {
        /// The mode holds from now on.
        case settle(HostMode)
        /// It is in force until a time; then, unless somebody confirms it, the former one.
        case begin(HostMode, former: HostMode, until: UInt64)
    }

    /// The mode in force.
    public var inForce: HostMode {
        switch self {
        case .settled(let mode), .pending(let mode, _, _): mode
        case .expired(_, let former): former
        }
    }

    /// Somebody wants a mode, with policies that are others than before or not.
    ///
    /// Less than before needs no confirmation: it locks nobody out. A mode that was given up stays so until policies change or
    /// somebody tries again.
    ///
    /// - Parameters:
    ///   - wanted: the mode.
    ///   - changesPolicy: whether what it enforces changes with it.
    ///   - seconds: within which it is to be confirmed; 0: it need not be.
    ///   - now: ns of CLOCK_MONOTONIC.
    /// - Returns: what is to be written; `nil`: nothing.
    public mutating func want(_ wanted: HostMode, changesPolicy: Bool, seconds: UInt32, now: UInt64) -> Action? {
        guard wanted == .enforce else {
            if self == .settled(wanted) { return nil }
            self = .settled(wanted)
            return .settle(wanted)
        }
        guard seconds > 0 else {
            if self == .settled(wanted) { return nil }
            self = .settled(wanted)
            return .settle(wanted)
        }
        switch self {
        case .settled(let mode):
            if mode == wanted && !changesPolicy { return nil }
            // What was enforced before was enforced by other rules: back to those that lock nobody out.
            return begin(former: mode == wanted ? .audit : mode, seconds, now)
        case .pending(_, let former, _), .expired(_, let former):
            return changesPolicy ? begin(former: former, seconds, now) : nil
        }
    }

    /// Somebody confirms. `nil`: nothing was to be confirmed, or it is too late.
    public mutating func confirm() -> Action? {
        guard case .pending(let mode, _, _) = self else { return nil }
        self = .settled(mode)
        return .settle(mode)
    }

    /// Somebody tries again what nobody has confirmed, or asks for more time. `nil`: nothing waits.
    public mutating func retry(seconds: UInt32, now: UInt64) -> Action? {
        switch self {
        case .settled: return nil
        case .pending(_, let former, _), .expired(_, let former): return begin(former: former, seconds, now)
        }
    }

    private mutating func begin(former: HostMode, _ seconds: UInt32, _ now: UInt64) -> Action {
        let until = now &+ UInt64(max(seconds, 1)) * 1_000_000_000
        self = .pending(.enforce, former: former, until: until)
        return .begin(.enforce, former: former, until: until)
    }
}
