import NetTypes
import PolicyAPI
import PolicyIR

/// Which requests a lab tries on which ports.
struct RequestSurvey {
    /// The most HTTP requests of a port.
    static let limit = 12

    /// HTTP requests by port: for each rule one that it matches and others beside it, and one that no rule names.
    var http: [UInt16: [HTTPRequest]] = [:]
    /// Ports with `serverNames`.
    var serverNames: Set<UInt16> = []
    /// Ports with DNS rules.
    var dns: Set<LabTraffic> = []
    /// Ports that rules open to names.
    var toNames: Set<LabTraffic> = []
    /// What was left out, in words.
    var notes: [String] = []

    /// TCP ports whose servers wait for their client.
    var waiting: Set<UInt16> {
        serverNames.union(http.keys).union(dns.filter { $0.protocol == .tcp }.map(\.port))
    }

    /// Whether something is decided by a proxy only: HTTP, and DNS over TCP.
    var needsProxy: Bool { !http.isEmpty || dns.contains { $0.protocol == .tcp } }

    /// Looks at every rule.
    init(pods: [Pod], policies: [LoweredPolicy]) {
        for rule in policies.flatMap({ ($0.ingress?.rules ?? []) + ($0.egress?.rules ?? []) }) {
            let ports = RequestSurvey.ports(of: rule.traffic, pods)
            if case .anyOf(let peers) = rule.peers,
                peers.contains(where: { if case .names = $0 { true } else { false } })
            {
                toNames.formUnion(ports)
            }
            switch rule.l7 {
            case .http(let rules):
                for port in ports where port.protocol == .tcp {
                    for rule in rules { add(rule.value, to: port.port) }
                }
            case .dns: dns.formUnion(ports)
            case .serverNames: serverNames.formUnion(ports.filter { $0.protocol == .tcp }.map(\.port))
            case nil: break
            }
        }
        for port in http.keys.sorted() {
            let all = http[port, default: []] + [HTTPRequest(path: "/unnamed", host: "lab.test")]
            if all.count > RequestSurvey.limit {
                notes.append("TCP \(port): \(all.count - RequestSurvey.limit) of \(all.count) requests are not tried")
            }
            http[port] = Array(all.prefix(RequestSurvey.limit))
        }
    }

    private mutating func add(_ rule: HTTPRule, to port: UInt16) {
        guard let method = RegexWitness.text(rule.method, usual: "GET"),
            let path = RegexWitness.text(rule.path, usual: "/"), path.hasPrefix("/"),
            let host = RegexWitness.text(rule.host, usual: "lab.test")
        else {
            notes.append("TCP \(port): no request was found for method \(rule.method), path \(rule.path)")
            return
        }
        let needed =
            rule.headers.map(HTTPRule.splitHeader).map { ($0.name, $0.value) }
            + rule.headerMatches.map { ($0.name, $0.value) }
        let headers = needed.map { HTTPRequest.Header($0.0, $0.1 ?? "lab") }
        let request = HTTPRequest(method: method, path: path, host: host, headers: headers)
        offer(request, to: port)
        var other = request
        other.method = method == "DELETE" ? "GET" : "DELETE"
        offer(other, to: port)
        if !headers.isEmpty {
            other = request
            other.headers = []
            offer(other, to: port)
        }
    }

    private mutating func offer(_ request: HTTPRequest, to port: UInt16) {
        if !http[port, default: []].contains(request) { http[port, default: []].append(request) }
    }

    /// Single ports of TCP and UDP that a rule names.
    private static func ports(of traffic: TrafficMatch, _ pods: [Pod]) -> [LabTraffic] {
        guard case .anyOf(let clauses) = traffic else { return [] }
        return clauses.flatMap { clause -> [LabTraffic] in
            switch clause {
            case .ports(let proto, let range) where range != .all && [.tcp, .udp].contains(proto):
                [LabTraffic(proto, UInt16(range.first))].filter { $0.port != 0 }
            case .ports: []
            case .named(let proto, let name):
                pods.flatMap { $0.ports(named: name, proto) }.map { LabTraffic(proto, $0) }
            }
        }
    }
}
