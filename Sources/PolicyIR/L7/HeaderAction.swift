/// An action on a header of a permitted request that does not match a rule (docs/spec/cilium-network-policy.md 10.1).
public struct HeaderAction: Hashable, Sendable {
    /// The kind of action.
    public enum Kind: String, Hashable, CaseIterable, Sendable {
        /// The request is unchanged; the access log records the mismatch.
        case log = "LOG"
        /// The expected value is added to the existing ones.
        case add = "ADD"
        /// The header is removed.
        case delete = "DELETE"
        /// The expected value replaces the existing one, if any.
        case replace = "REPLACE"
    }

    /// The kind of action.
    public var kind: Kind
    /// The header's name, as written in the rule.
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
    /// The request after these actions, applied in order.
    public func applying(_ actions: [HeaderAction]) -> HTTPRequest {
        var request = self
        for action in actions {
            let isHost = HTTPRequest.isSame(action.name, "host")
            switch action.kind {
            case .log: break
            // There is exactly one authority: it can be replaced, but not added or removed.
            case .replace where isHost: request.host = action.value
            case .add where isHost, .delete where isHost: break
            case .add: request.headers.append(Header(action.name, action.value))
            // Those that gateways read as the field go with it.
            case .delete: request.headers.removeAll { HTTPRequest.isRead($0.name, as: action.name) }
            case .replace:
                request.headers.removeAll { HTTPRequest.isRead($0.name, as: action.name) }
                request.headers.append(Header(action.name, action.value))
            }
        }
        return request
    }
}
