/// What happens to the machine that follows a kind.
public enum WatchEvent: Hashable, Sendable {
    /// It is to begin.
    case start
    /// The request that was asked for is on its way.
    case sent
    /// The head of an answer with status 200 came.
    case opened
    /// More bytes of the answer to a list came.
    case progress
    /// A page was read, in this version of the list; the next one begins at `next`. `isEmpty`: no object is on it.
    case page(version: String, next: String?, isEmpty: Bool = false)
    /// An object of a watch was read; `version` is its resourceVersion.
    case object(version: String)
    /// A watch says up to which version nothing more happened.
    case bookmark(version: String, endsInitialEvents: Bool)
    /// A watch says that it cannot go on.
    case error(StatusObject)
    /// The answer to a watch ended in order.
    case ended
    /// A request came to nothing.
    case failed(RequestFailure)
    /// The deadline has come.
    case wake
    /// Somebody knows that the kind may have appeared.
    case appeared
    /// Everything is to be listed again.
    case relist
    /// Whether somebody will say so when it does, so that there is little need to ask.
    case announced(Bool)
}

/// What is to be done, in order. At most one request runs; `list` and `watch` begin it.
public enum WatchAction: Hashable, Sendable {
    /// Ask for a page.
    case list(ListQuery)
    /// Watch.
    case watch(WatchQuery)
    /// Give up the request that runs.
    case cancel
    /// A new set of objects begins; the one before stays in force.
    case begin
    /// The objects of the page, or of the event, belong to the new set.
    case collect
    /// The new set is complete: it takes the place of the one before at once.
    case replace
    /// The new set will never be complete.
    case discard
    /// The event counts at once.
    case apply
    /// There is no such kind, and so there are no objects.
    case remove
    /// The credentials were refused: others are needed.
    case reloadCredentials
    /// The connections do not answer: others are needed.
    case renewConnections
    /// It stands otherwise with the kind.
    case health(KindHealth)
}

/// A list.
public struct ListQuery: Hashable, Sendable {
    /// Which place of the kind.
    public var place: Int
    /// Objects of the page.
    public var limit: Int
    /// Where it begins; `nil` for the first page.
    public var from: String?
}

/// A watch.
public struct WatchQuery: Hashable, Sendable {
    /// Which place of the kind.
    public var place: Int
    /// From which version; `nil` to be sent all objects first.
    public var version: String?
    /// After how many seconds the server is asked to end it.
    public var seconds: Int
}
