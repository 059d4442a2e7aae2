public import ProxyRules
internal import Synchronization

/// The rules in force. Connections ask for them at each request.
public final class RuleSource: Sendable {
    private let current: Mutex<RuleBook>
    private let replaced = Atomic<UInt64>(0)

    /// Rules to begin with.
    public init(_ book: RuleBook) { current = Mutex(book) }

    /// The rules in force.
    public var book: RuleBook { current.withLock { $0 } }

    /// How often other rules were put in force. While this stays, `book` does: so a request needs no lock.
    var changes: UInt64 { replaced.load(ordering: .acquiring) }

    /// Puts other rules in force, for every request whose head is not complete yet.
    public func replace(with book: RuleBook) {
        current.withLock {
            $0 = book
            replaced.add(1, ordering: .releasing)
        }
    }
}
