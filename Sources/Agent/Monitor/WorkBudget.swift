/// How much time may be spent on something: a share of all time. What was spent beyond it is waited for.
struct WorkBudget: Sendable {
    /// More than this is not saved up.
    static let limit = Duration.milliseconds(50)

    private let share: Double
    private var balance = WorkBudget.limit
    private var settled: ContinuousClock.Instant

    /// A budget of a share of the time from `now` on, 0 to 1.
    init(share: Double, now: ContinuousClock.Instant) {
        self.share = share
        settled = now
    }

    /// Whether something may be done.
    var isOpen: Bool { balance > .zero }

    /// Time went by.
    mutating func earn(now: ContinuousClock.Instant) {
        balance = min(WorkBudget.limit, balance + (now - settled) * share)
        settled = now
    }

    /// Something took so long.
    mutating func spend(_ time: Duration) { balance -= time }
}
