import KubeClient

/// Decides who of a cluster's agents writes statuses: the one that holds a Lease. No I/O and no clock.
///
/// Times of other machines are not believed: a lease has run out when it has been seen unchanged for as long as it lasts, by the
/// clock of whoever looks.
struct LeaseMachine: Sendable {
    /// A lease as the API server has it.
    struct Record: Hashable, Sendable {
        var holder: String
        var version: String
        var transitions: Int64
        var seconds: Int64
    }

    /// What is to be done.
    enum Action: Hashable, Sendable {
        /// Make the lease.
        case create
        /// Write this holder into it, over the version that was seen.
        case write(version: String, transitions: Int64)
        /// Somebody else has it.
        case wait
    }

    /// The agent's name.
    let identity: String
    /// How long a lease lasts that is not renewed.
    let duration: Duration
    private var seen: (record: Record, since: Duration)?
    private var renewed: Duration?

    init(identity: String, duration: Duration) {
        self.identity = identity
        self.duration = duration
    }

    /// Whether this agent may write: so long that nobody else can think it gone.
    func holds(at now: Duration) -> Bool { renewed.map { now - $0 < duration * 2 / 3 } ?? false }

    /// Looks at the lease as it is.
    mutating func look(_ record: Record?, at now: Duration) -> Action {
        guard let record else { return .create }
        if record.holder == identity { return .write(version: record.version, transitions: record.transitions) }
        renewed = nil
        if record.holder.isEmpty {
            return .write(version: record.version, transitions: record.transitions + 1)
        }
        guard let seen, seen.record == record else {
            seen = (record, now)
            return .wait
        }
        let lasts = max(duration, .seconds(min(max(record.seconds, 0), 3600)))
        guard now - seen.since > lasts else { return .wait }
        return .write(version: record.version, transitions: record.transitions + 1)
    }

    /// The lease was written; the request began at `begin`.
    mutating func wrote(since begin: Duration) { renewed = begin }

}
