/// Whether the mode that programs read holds, or is to be confirmed. The state is what np_host says: it outlives the agent, and
/// the programs themselves give a mode up that nobody has confirmed in time.
public enum HostConfirmation: Hashable, Sendable {
    /// The mode holds.
    case settled(HostMode)
    /// It is in force until a time, ns of CLOCK_MONOTONIC; then the former one is: where that is `.enforce`, by the former policies.
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

    /// What is to be in force, and where there is a way back from it.
    public struct Wish: Hashable, Sendable {
        /// The mode.
        public var mode: HostMode
        /// Whether what it enforces is other than what is in force or waits.
        public var changesPolicy: Bool
        /// Whether the policies are those that the node would go back to.
        public var isFormer: Bool
        /// Whether the policies that were confirmed last are ready to be gone back to.
        public var hasFormer: Bool
        /// Within which it is to be confirmed; 0: it need not be.
        public var seconds: UInt32

        /// A wish.
        public init(
            _ mode: HostMode, changesPolicy: Bool, isFormer: Bool = false, hasFormer: Bool = false, seconds: UInt32
        ) {
            self.mode = mode
            self.changesPolicy = changesPolicy
            self.isFormer = isFormer
            self.hasFormer = hasFormer
            self.seconds = seconds
        }
    }

    /// Somebody wants something to be in force.
    ///
    /// Less than before needs no confirmation: it locks nobody out. Nor do the policies that were confirmed last. What was given
    /// up stays so until policies change or somebody tries again. `.enforce` as the former mode means: by the policies that were
    /// confirmed last.
    ///
    /// - Parameters:
    ///   - wish: what is wanted.
    ///   - now: ns of CLOCK_MONOTONIC.
    /// - Returns: what is to be written; `nil`: nothing.
    public mutating func want(_ wish: Wish, now: UInt64) -> Action? {
        guard wish.mode == .enforce, wish.seconds > 0 else { return settle(wish.mode) }
        switch self {
        case .settled(let mode):
            if mode == wish.mode && !wish.changesPolicy { return nil }
            // Enforced by others than before: back to those, or to what locks nobody out.
            return begin(former: mode != wish.mode ? mode : wish.hasFormer ? .enforce : .audit, wish.seconds, now)
        case .pending(_, let former, _), .expired(_, let former):
            if former == .enforce, wish.isFormer { return settle(.enforce) }
            return wish.changesPolicy ? begin(former: former, wish.seconds, now) : nil
        }
    }

    /// The policies that were confirmed last are not known any more: back to audit instead. `nil`: nobody waits for them.
    public mutating func loseFormer() -> Action? {
        switch self {
        case .pending(let mode, .enforce, let until):
            self = .pending(mode, former: .audit, until: until)
            return .begin(mode, former: .audit, until: until)
        case .expired(let mode, .enforce):
            self = .expired(mode, former: .audit)
            // Some time that is over.
            return .begin(mode, former: .audit, until: 1)
        case .settled, .pending, .expired: return nil
        }
    }

    private mutating func settle(_ wanted: HostMode) -> Action? {
        if self == .settled(wanted) { return nil }
        self = .settled(wanted)
        return .settle(wanted)
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
