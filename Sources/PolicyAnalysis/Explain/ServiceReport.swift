import PolicyIR

/// The output of `netpold explain --json` for a flow to a Service, described in docs/reference/explain-json.md.
public struct ServiceReport: Encodable, Sendable {
    /// The version of the format: that of `ExplanationReport`.
    public let version = 1
    /// The sender.
    public let from: String
    /// The receiver as it was written.
    public let to: String
    /// `TCP`, `UDP`, `SCTP`, `ICMP`, `ICMPv6`.
    public let `protocol`: String
    /// The Service's port.
    public let port: UInt16
    /// `allow`, `deny`, `l7`, `mixed` or `rejected`.
    public let verdict: String
    /// The Service.
    public let service: Target
    /// One explanation for each backend that may be chosen.
    public let backends: [Backend]

    /// The Service of a flow.
    public struct Target: Encodable, Sendable {
        let namespace: String
        let name: String
        let meaning: String
        let alias: String?
        let frontend: String?
        let address: String?
        let portName: String?
        let isObserved: Bool?
        let file: String?
        let line: Int?
        let column: Int?
    }

    /// A backend.
    public struct Backend: Encodable, Sendable {
        let address: String
        let port: UInt16
        let explanation: ExplanationReport
    }

    /// A report of an explanation.
    public init(_ explanation: ServiceExplanation) {
        let route = explanation.route
        from = "\(route.flow.from)"
        to = "\(route.flow.to)"
        `protocol` = "\(route.flow.protocol)"
        port = route.flow.port
        verdict = explanation.verdict.rawValue
        var meaning = "translated"
        var alias: String?
        switch route.meaning {
        case .translated: break
        case .headless: meaning = "headless"
        case .alias(let name):
            meaning = "alias"
            alias = name
        }
        service = Target(
            namespace: route.service.namespace, name: route.service.name, meaning: meaning, alias: alias,
            frontend: route.frontend?.kind.rawValue, address: route.frontend.map { "\($0.address)" },
            portName: route.portName.isEmpty ? nil : route.portName, isObserved: route.isObserved ? true : nil,
            file: route.location?.file,
            line: route.location?.line, column: route.location?.column)
        backends = explanation.backends.map {
            Backend(
                address: "\($0.backend.address)", port: $0.backend.port, explanation: ExplanationReport($0.explanation))
        }
    }
}
