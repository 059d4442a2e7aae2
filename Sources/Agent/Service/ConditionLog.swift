import BPFEmit
import Logging

/// The conditions that the reconciler finds besides those of `AgentState`; writes all that begin or are over into the log.
struct ConditionLog {
    private let logger: Logger
    /// The node cannot be observed at the moment.
    private var nodeFailure: Condition?
    /// Endpoints whose flows have hardly any room.
    private var crowded: [Condition] = []
    /// Endpoints whose learnt addresses have no more room.
    private var learntFull: [Condition] = []
    /// No proxy serves that pods' rules need.
    private var proxyMissing: [Condition] = []

    init(_ logger: Logger) { self.logger = logger }

    /// The conditions at this moment.
    var conditions: [Condition] { (nodeFailure.map { [$0] } ?? []) + crowded + learntFull + proxyMissing }

    /// The node was observed, or why not.
    mutating func take(nodeFailure new: Condition?) {
        // Another reason is worth a line.
        if let new, new != nodeFailure { begin(new) }
        if new == nil, let nodeFailure { end(nodeFailure) }
        nodeFailure = new
    }

    /// Which endpoints' flows have hardly any room.
    ///
    /// - Returns: whether anything has changed.
    mutating func take(crowded new: [Condition]) -> Bool {
        guard new != crowded else { return false }
        logChanges(from: crowded, to: new)
        crowded = new
        return true
    }

    /// Which endpoints' learnt addresses have no more room.
    ///
    /// - Returns: whether anything has changed.
    mutating func take(learntFull new: [Condition]) -> Bool {
        guard new != learntFull else { return false }
        logChanges(from: learntFull, to: new)
        learntFull = new
        return true
    }

    /// Whether no proxy serves that pods' rules need.
    ///
    /// - Returns: whether anything has changed.
    mutating func take(proxyMissing new: Condition?) -> Bool {
        let new = new.map { [$0] } ?? []
        guard new != proxyMissing else { return false }
        logChanges(from: proxyMissing, to: new)
        proxyMissing = new
        return true
    }

    /// Logs a condition that begins.
    func begin(_ condition: Condition) {
        logger.log(
            level: condition.isSevere ? .error : .warning, "\(condition.message)", metadata: metadata(condition))
    }

    /// Logs that a condition is over.
    func end(_ condition: Condition) {
        logger.notice("over: \(condition.message)", metadata: metadata(condition))
    }

    /// By subject: the figures in a message change all the time.
    private func logChanges(from old: [Condition], to new: [Condition]) {
        for condition in old where !new.contains(where: { $0.subject == condition.subject }) { end(condition) }
        for condition in new where !old.contains(where: { $0.subject == condition.subject }) { begin(condition) }
    }

    private func metadata(_ condition: Condition) -> Logger.Metadata {
        ["condition": "\(condition.kind.rawValue)", "subject": "\(condition.subject)"]
    }
}
