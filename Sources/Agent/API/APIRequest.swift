/// What a client may ask the agent.
public enum APIRequest: Hashable, Sendable {
    /// One `APIReply.status`.
    case status
    /// One `APIReply.page`.
    case list(ListRequest)
    /// One `APIReply.health`, without counting anything.
    case health
    /// `APIReply.verdict` and `.lost` until the client hangs up.
    case monitor(MonitorFilter)
    /// Looks at the sources and the node again; one `APIReply.waited` when everything seen is in force, or after the
    /// time-out.
    case wait(timeoutMilliseconds: Int)
    /// Looks at the sources again; one `APIReply.policyWaited` when a policy is in force in the version that its source has then (or
    /// no such policy is), when it is clear that it will not be, or after the time-out.
    case waitPolicy(PolicyWaitRequest)
    /// One `APIReply.explained`.
    case explain(ExplainRequest)
    /// Reads all sources again; one `APIReply.reloaded`. With `acceptEmpty` what they do not have any more is taken to be
    /// meant, where it is kept as lost by accident.
    case reload(acceptEmpty: Bool)
    /// Looks at the node again; one `APIReply.admitted` when the pod's policies are in force at its interfaces, or after the time-out.
    case admit(PodAdmission)
}

extension APIRequest: APIMessage {
    /// The values of `type`.
    public enum Kind: String, CaseIterable, Sendable {
        case status = "status"
        case list = "list"
        case health = "health"
        case monitor = "monitor"
        case wait = "wait"
        case waitPolicy = "waitPolicy"
        case explain = "explain"
        case reload = "reload"
        case admit = "admit"
    }

    private enum CodingKeys: String, CodingKey {
        case timeoutMilliseconds = "timeoutMilliseconds"
        case acceptEmpty = "acceptEmpty"
    }

    /// The value of `type`.
    public var kind: Kind {
        switch self {
        case .status: .status
        case .list: .list
        case .health: .health
        case .monitor: .monitor
        case .wait: .wait
        case .waitPolicy: .waitPolicy
        case .explain: .explain
        case .reload: .reload
        case .admit: .admit
        }
    }

    /// Reads the fields beside `type`.
    public init(_ kind: Kind, from decoder: any Decoder) throws {
        switch kind {
        case .status: self = .status
        case .list: self = .list(try ListRequest(from: decoder))
        case .health: self = .health
        case .monitor: self = .monitor(try MonitorFilter(from: decoder))
        case .wait:
            let fields = try decoder.container(keyedBy: CodingKeys.self)
            self = .wait(timeoutMilliseconds: try fields.decode(Int.self, forKey: .timeoutMilliseconds))
        case .waitPolicy: self = .waitPolicy(try PolicyWaitRequest(from: decoder))
        case .explain: self = .explain(try ExplainRequest(from: decoder))
        case .reload:
            let fields = try decoder.container(keyedBy: CodingKeys.self)
            self = .reload(acceptEmpty: try fields.decodeIfPresent(Bool.self, forKey: .acceptEmpty) ?? false)
        case .admit: self = .admit(try PodAdmission(from: decoder))
        }
    }

    /// Writes the fields beside `type`.
    public func encodeFields(to encoder: any Encoder) throws {
        switch self {
        case .status, .health: break
        case .list(let request): try request.encode(to: encoder)
        case .monitor(let filter): try filter.encode(to: encoder)
        case .wait(let timeout):
            var fields = encoder.container(keyedBy: CodingKeys.self)
            try fields.encode(timeout, forKey: .timeoutMilliseconds)
        case .waitPolicy(let request): try request.encode(to: encoder)
        case .explain(let request): try request.encode(to: encoder)
        case .reload(let acceptEmpty):
            var fields = encoder.container(keyedBy: CodingKeys.self)
            try fields.encode(acceptEmpty, forKey: .acceptEmpty)
        case .admit(let admission): try admission.encode(to: encoder)
        }
    }
}
