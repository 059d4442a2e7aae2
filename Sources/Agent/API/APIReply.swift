/// What the agent answers.
public enum APIReply: Hashable, Sendable {
    /// The agent's state.
    case status(StatusReport)
    /// Rows of a listing.
    case page(ListingPage)
    /// Whether the agent enforces what it was asked to.
    case health(Health)
    /// One verdict.
    case verdict(FlowVerdict)
    /// This many verdicts were not sent since the last line: the client read too slowly, or the kernel wrote no record.
    case lost(UInt64)
    /// Whether everything seen is in force, and how many times the kernel was brought to a new state so far.
    case waited(inForce: Bool, applyCount: UInt64)
    /// What came of a wait for a policy.
    case policyWaited(PolicyWaitReport)
    /// Why a flow passes or not.
    case explained(ExplainReport)
    /// All sources were read again.
    case reloaded(ReloadReport)
    /// Whether a pod's policies are in force at its interfaces; if not, why, in words.
    case admitted(inForce: Bool, reason: String)
    /// The request was not understood or cannot be served.
    case error(APIError)
}

/// Why a request is not served.
public struct APIError: Hashable, Codable, Sendable {
    /// What kind of reason, for programs.
    public enum Code: String, Hashable, Codable, Sendable, CaseIterable {
        /// The line is longer than a request may be. The agent hangs up.
        case oversize = "oversize"
        /// The line is not a message. The agent hangs up.
        case malformed = "malformed"
        /// The line is of another version of the local API. The agent hangs up.
        case version = "version"
        /// The agent knows no such `type`. The connection goes on.
        case unknownType = "unknown-type"
        /// The agent cannot serve it at the moment.
        case unavailable = "unavailable"
    }

    /// The code.
    public var code: Code
    /// A sentence, for people.
    public var message: String

    /// An error.
    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    /// The answer to a line that is not a request.
    init(_ error: MessageError) {
        let code: Code =
            switch error {
            case .oversize: .oversize
            case .malformed: .malformed
            case .version: .version
            case .unknownType: .unknownType
            }
        self.init(code, "\(error)")
    }

    private enum CodingKeys: String, CodingKey {
        case code = "code"
        case message = "message"
    }
}

extension APIReply: APIMessage {
    /// The values of `type`.
    public enum Kind: String, CaseIterable, Sendable {
        case status = "status"
        case page = "page"
        case health = "health"
        case verdict = "verdict"
        case lost = "lost"
        case waited = "waited"
        case policyWaited = "policyWaited"
        case explained = "explained"
        case reloaded = "reloaded"
        case admitted = "admitted"
        case error = "error"
    }

    private enum CodingKeys: String, CodingKey {
        case status = "status"
        case page = "page"
        case health = "health"
        case verdict = "verdict"
        case count = "count"
        case inForce = "inForce"
        case reason = "reason"
        case applyCount = "applyCount"
        case wait = "wait"
        case explanation = "explanation"
        case reload = "reload"
        case error = "error"
    }

    /// The value of `type`.
    public var kind: Kind {
        switch self {
        case .status: .status
        case .page: .page
        case .health: .health
        case .verdict: .verdict
        case .lost: .lost
        case .waited: .waited
        case .policyWaited: .policyWaited
        case .explained: .explained
        case .reloaded: .reloaded
        case .admitted: .admitted
        case .error: .error
        }
    }

    /// Reads the fields beside `type`.
    public init(_ kind: Kind, from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        switch kind {
        case .status: self = .status(try fields.decode(StatusReport.self, forKey: .status))
        case .page: self = .page(try fields.decode(ListingPage.self, forKey: .page))
        case .health: self = .health(try fields.decode(Health.self, forKey: .health))
        case .verdict: self = .verdict(try fields.decode(FlowVerdict.self, forKey: .verdict))
        case .lost: self = .lost(try fields.decode(UInt64.self, forKey: .count))
        case .waited:
            self = .waited(
                inForce: try fields.decode(Bool.self, forKey: .inForce),
                applyCount: try fields.decode(UInt64.self, forKey: .applyCount))
        case .policyWaited: self = .policyWaited(try fields.decode(PolicyWaitReport.self, forKey: .wait))
        case .explained: self = .explained(try fields.decode(ExplainReport.self, forKey: .explanation))
        case .reloaded: self = .reloaded(try fields.decode(ReloadReport.self, forKey: .reload))
        case .admitted:
            self = .admitted(
                inForce: try fields.decode(Bool.self, forKey: .inForce),
                reason: try fields.decode(String.self, forKey: .reason))
        case .error: self = .error(try fields.decode(APIError.self, forKey: .error))
        }
    }

    /// Writes the fields beside `type`.
    public func encodeFields(to encoder: any Encoder) throws {
        var fields = encoder.container(keyedBy: CodingKeys.self)
        switch self {
        case .status(let report): try fields.encode(report, forKey: .status)
        case .page(let page): try fields.encode(page, forKey: .page)
        case .health(let health): try fields.encode(health, forKey: .health)
        case .verdict(let verdict): try fields.encode(verdict, forKey: .verdict)
        case .lost(let count): try fields.encode(count, forKey: .count)
        case .waited(let inForce, let applyCount):
            try fields.encode(inForce, forKey: .inForce)
            try fields.encode(applyCount, forKey: .applyCount)
        case .policyWaited(let report): try fields.encode(report, forKey: .wait)
        case .explained(let report): try fields.encode(report, forKey: .explanation)
        case .reloaded(let report): try fields.encode(report, forKey: .reload)
        case .admitted(let inForce, let reason):
            try fields.encode(inForce, forKey: .inForce)
            try fields.encode(reason, forKey: .reason)
        case .error(let error): try fields.encode(error, forKey: .error)
        }
    }
}
