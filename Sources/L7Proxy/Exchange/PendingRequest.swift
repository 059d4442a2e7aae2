internal import HTTPScan
internal import NIOCore

/// A request that is not answered yet. They are answered in order.
struct PendingRequest {
    /// Who answers it.
    enum Answerer {
        /// The server: the request was forwarded.
        case server
        /// The proxy; whether the connection ends behind the answer.
        case local(LocalAnswer, closes: Bool)
    }

    var answerer: Answerer
    var method: RequestHead.Method
    var upgrade: RequestHead.Upgrade
    /// Whether no request follows it.
    var isLast: Bool
    /// Whether its response has begun to reach the client.
    var hasBegun = false
    /// The status of its response, once it has begun.
    var status = 0
    /// When its head was complete.
    var since: NIODeadline
    /// What the access log says of it; `nil` without a log.
    var record: AccessRecord?
}
