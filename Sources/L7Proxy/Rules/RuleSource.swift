public import ProxyRules
internal import Synchronization

/// The rules in force. Connections ask for them at each request.
public final class RuleSource: Sendable {
    private let current: Mutex<RuleBook>

    /// Rules to begin with.
    public init(_ book: RuleBook) { current = Mutex(book) }

    /// The rules in force.
    public var book: RuleBook { current.withLock { $0 } }

    /// Puts other rules in force, for every request whose head is not complete yet.
    public func replace(with book: RuleBook) { current.withLock { $0 = book } }
}
