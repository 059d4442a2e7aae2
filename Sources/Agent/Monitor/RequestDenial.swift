import Foundation
import NetTypes
import PolicyIR

/// A request that the proxy did not allow, as a line of its access log has it (docs/reference/access-log.md).
struct RequestDenial: Hashable, Decodable, Sendable {
    /// `denied` or `refused`.
    var decision: String
    /// What it was answered with.
    var status: Int?
    /// Address and port.
    var client: String
    /// Address and port.
    var server: String
    var method: String?
    var host: String?
    var path: String?
    /// The name that a DNS query over TCP asks for.
    var query: String?
    /// The rule that came nearest.
    var rule: String?
    /// What it fails of that rule, or why it is refused.
    var reason: String?
    /// `egress`, the client's rules deny it; `ingress`, the server's.
    var denies: String?

    /// Why a monitor shows it, as a name.
    private var name: String {
        if query != nil { return "QUERY_DENIED" }
        return decision == "refused" ? "REQUEST_REFUSED" : "REQUEST_DENIED"
    }

    private var sentence: String {
        if query != nil { return "no DNS rule allows the name" }
        guard decision != "refused" else {
            return reason == "not-a-query" ? "not exactly a DNS query" : "not exactly HTTP (\(reason ?? "unknown"))"
        }
        switch reason {
        case "no-rules"?: return "no rule of the proxy is for the connection"
        case "header-action"?: return "a header action would make another request of it"
        default: return "no HTTP rule allows the request"
        }
    }

    /// What it fails of the rule that came nearest.
    private var nearestMiss: String? {
        guard let rule, decision != "refused" else { return nil }
        guard let reason else { return rule }
        return "\(rule): it fails \(reason.replacing("+", with: " and "))"
    }

    /// The policy of the rule that came nearest: `Kind namespace/name`.
    var policy: String? {
        rule.map { $0.split(separator: " ").prefix(2).joined(separator: " ") }
    }

    /// As a monitor shows it; `nil` for a line that says no ends. `time`: milliseconds since 1970. `names` resolves addresses.
    func verdict(at time: UInt64, _ names: ReferenceEvaluator) -> FlowVerdict? {
        guard let source = RequestDenial.end(client, names), let destination = RequestDenial.end(server, names) else {
            return nil
        }
        let isEgress = denies == "egress" || (denies == nil && (query != nil || destination.pod == nil))
        let subject = (isEgress ? source : destination).pod
        var verdict = FlowVerdict(
            timeMilliseconds: time, isDrop: true, direction: isEgress ? "egress" : "ingress",
            subject: subject ?? "unknown", source: source, destination: destination, protocol: "TCP", icmpType: nil,
            reason: name, sentence: sentence, rule: nil, isolatedBy: [], nearestMiss: nearestMiss, revision: 0,
            length: 0)
        verdict.name = query
        if let method, let path {
            verdict.request = FlowVerdict.Request(method: method, host: host ?? "", path: path, status: status ?? 0)
        }
        return verdict
    }

    /// Whether a monitor wants it.
    func isWanted(by filter: MonitorFilter, _ verdict: FlowVerdict) -> Bool {
        if let pod = filter.pod, ![verdict.subject, verdict.source.pod, verdict.destination.pod].contains(pod) {
            return false
        }
        guard let wanted = filter.policy else { return true }
        return policy.map { MonitorFilter.names(wanted, $0) } ?? false
    }

    /// `10.0.0.1:80` or `[fd00::1]:80`.
    private static func end(_ text: String, _ names: ReferenceEvaluator) -> FlowVerdict.End? {
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]) else {
            return nil
        }
        let host = text[..<colon].trimmingCharacters(in: CharacterSet(charactersIn: "[]"))
        guard let address = IPAddress(parsing: host) else { return nil }
        var end = FlowVerdict.End(address: "\(address)", port: port, pod: nil, identity: nil)
        switch names.view.owner(of: address) {
        case .pod(let pod): end.pod = pod.qualifiedName
        case .node(let name): end.identity = "node \(name)"
        case .outside, .contested: break
        }
        return end
    }
}
