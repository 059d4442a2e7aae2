public import PolicyAnalysis
public import PolicyIR

/// Asks why a flow passes or not, by what the agent has in force.
public struct ExplainRequest: Hashable, Codable, Sendable {
    /// An HTTP request in the flow.
    public struct HTTP: Hashable, Codable, Sendable {
        var method: String
        var path: String
        var host: String
        /// Name and value of each.
        var headers: [[String]]

        private enum CodingKeys: String, CodingKey {
            case method = "method"
            case path = "path"
            case host = "host"
            case headers = "headers"
        }
    }

    /// Who begins it, as `netpold explain` has it.
    public var from: String
    /// Whom it is for.
    public var to: String
    /// Port and protocol.
    public var traffic: String
    /// The request in it: at most one of the three.
    var http: HTTP?
    var dns: String?
    var serverName: String?

    /// A request.
    public init(_ flow: FlowText, request: L7Request? = nil) {
        from = flow.from
        to = flow.to
        traffic = flow.traffic
        switch request {
        case .http(let request):
            http = HTTP(
                method: request.method, path: request.path, host: request.host,
                headers: request.headers.map { [$0.name, $0.value] })
        case .dns(let name): dns = name
        case .serverName(let name): serverName = name
        case nil: break
        }
    }

    private enum CodingKeys: String, CodingKey {
        case from = "from"
        case to = "to"
        case traffic = "traffic"
        case http = "http"
        case dns = "dns"
        case serverName = "serverName"
    }

    /// The flow as it was written.
    var flow: FlowText { FlowText(from: from, to: to, traffic: traffic) }

    /// The request in it.
    var request: L7Request? {
        if let http {
            return .http(
                HTTPRequest(
                    method: http.method, path: http.path, host: http.host,
                    headers: http.headers.compactMap { pair in
                        pair.count == 2 ? HTTPRequest.Header(pair[0], pair[1]) : nil
                    }))
        }
        return dns.map(L7Request.dns) ?? serverName.map(L7Request.serverName)
    }
}

/// Why a flow passes or not.
public struct ExplainReport: Hashable, Codable, Sendable {
    /// A line of an explanation.
    public struct Line: Hashable, Codable, Sendable {
        /// `verdict`, `side`, `reason`, `rule` or `failure`.
        public var role: String
        /// The text.
        public var text: String
        /// The file in which the rule is written that the line is about; left out where there is none to show.
        public var file: String?
        /// Its line there, from 1.
        public var line: Int?
        /// Its column there, from 1.
        public var column: Int?

        private enum CodingKeys: String, CodingKey {
            case role = "role"
            case text = "text"
            case file = "file"
            case line = "line"
            case column = "column"
        }
    }

    /// What is wrong with the question, in words; left out where it was answered.
    public var mistake: String?
    /// The explanation, the verdict first.
    public var lines: [Line]
    /// Whether the flow passes; left out where it depends.
    public var passes: Bool?
    /// Whether a proxy decides requests of it.
    public var needsProxy: Bool
    /// Whether a proxy serves that decides them; left out where none is needed.
    public var proxyServes: Bool?
    /// Every fact as a field, as JSON: docs/reference/explain-json.md.
    public var report: String

    private enum CodingKeys: String, CodingKey {
        case mistake = "mistake"
        case lines = "lines"
        case passes = "passes"
        case needsProxy = "needsProxy"
        case proxyServes = "proxyServes"
        case report = "report"
    }
}
