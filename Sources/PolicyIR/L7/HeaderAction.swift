/// What becomes of a header of a permitted request that is not as a rule expects it (docs/spec/cilium-network-policy.md 10.1).
public struct HeaderAction: Hashable, Sendable {
    /// What is done.
    public enum Kind: String, Hashable, CaseIterable, Sendable {
        /// The request passes as it is; the access log records the mismatch.
        case log = "LOG"
        /// The expected value is added beside what is there.
        case add = "ADD"
        /// The header is removed.
        case delete = "DELETE"
        /// The expected value stands in place of what is there, or of nothing.
        case replace = "REPLACE"
    }

    /// What is done.
    public var kind: Kind
    /// The header's name, as the rule writes it.
    public var name: String
    /// The value that the rule expects.
    public var value: String

    /// An action.
    public init(_ kind: Kind, name: String, value: String) {
        self.kind = kind
        self.name = name
        self.value = value
    }
}

extension HeaderAction: CustomStringConvertible {
    /// `REPLACE X-Token: abc`, `DELETE X-Debug`.
    public var description: String { "\(kind.rawValue) \(name)" + (kind == .delete ? "" : ": \(value)") }
}

extension HTTPRequest {
    /// The request as it goes on after these actions, taken in order.
    public func applying(_ actions: [HeaderAction]) -> HTTPRequest {
        var request = self
        for action in actions {
            let isHost = HTTPRequest.isSame(action.name, "host")
            switch action.kind {
            case .log: break
            // There is one authority: none can be added beside it, and a request without one is none.
            case .replace where isHost: request.host = action.value
            case .add where isHost, .delete where isHost: break
            case .add: request.headers.append(Header(action.name, action.value))
            case .delete: request.headers.removeAll { HTTPRequest.isSame($0.name, action.name) }
            case .replace:
                request.headers.removeAll { HTTPRequest.isSame($0.name, action.name) }
                request.headers.append(Header(action.name, action.value))
            }
        }
        return request
    }
}
