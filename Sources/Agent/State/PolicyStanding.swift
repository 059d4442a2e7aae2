/// How it stands with a policy of the sources.
struct PolicyStanding: Hashable, Sendable {
    /// What is in force for it.
    enum State: Hashable, Sendable {
        /// What its source has now.
        case asWritten
        /// What its source has is refused; the last good version is in force.
        case lastGood
        /// What its source has is refused; the pods it selects are isolated.
        case isolated
        /// What its source has is refused; it has no effect.
        case ignored
    }

    /// The version that its source has now, good or not.
    var origin: ObjectOrigin
    /// What is in force.
    var state: State
    /// Why it is refused, in words; `nil` when it is not.
    var reason: String?
    /// The generation of the inputs in which what is in force for it changed last.
    var generation: UInt64
}
