public import NIOCore
public import ProxyRules

/// Puts into force what DNS answers say that come over TCP, before the client gets them: the addresses of names, for `toFQDNs`.
public protocol AnswerLearner: Sendable {
    /// Learns from an answer to a query that the client's own rules allow. Called on an event loop: at most a few system calls.
    ///
    /// - Parameters:
    ///   - message: the answer, without its length.
    ///   - client: who asked.
    ///   - local: whom it asked.
    ///   - columns: what the client's policy has the name for.
    /// - Returns: what became of it.
    func learn(
        _ message: [UInt8], of client: SocketAddress, to local: SocketAddress, for columns: LearntColumns?
    ) -> AnswerFate

    /// Whether clients get no answer that is not exactly one to a query of theirs. Called on an event loop.
    var dropsInexact: Bool { get }
}

/// What becomes of an answer.
public enum AnswerFate: Sendable {
    /// What it says is in force, if it says anything.
    case learnt
    /// It is not exactly an answer, and passes: nothing is learnt from it.
    case unlearnt
    /// It is not exactly an answer, and the node lets none of those pass.
    case withheld
}
