public import BPFEmit
public import PolicyIR

/// What the agent does about Services, and why: `services` of the status.
public struct ServiceChoice: Hashable, Codable, Sendable {
    /// `translate`, `observe` or `off`.
    public var mode: String
    /// Why, in words.
    public var reason: String

    /// A choice.
    public init(mode: ServiceMode, reason: String) {
        self.mode = mode.rawValue
        self.reason = reason
    }

    /// The choice for a node.
    ///
    /// - kube-proxy translates behind the pods' hooks, and only what still has a Service's address there: the agent translates
    ///   before it.
    /// - A network plugin that translates by itself may do so for reasons of its own (encryption, its own policies, direct
    ///   return): it is left to it, and policies ask about all endpoints.
    /// - Where nobody translates, or nothing is known of anybody, the agent does: a connection to a Service would come nowhere,
    ///   or past the policies.
    ///
    /// - Parameters:
    ///   - asked: what the operator asked for; `nil`: nothing.
    ///   - findings: what was found on the node.
    ///   - unread: what could not be looked at, and why.
    public init(asked: ServiceMode?, findings: [TranslatorFinding], unread: [String] = []) {
        func texts(_ findings: [TranslatorFinding]) -> String {
            findings.map { "\($0.component.rawValue) translates Services here (\($0.evidence))" }
                .joined(separator: ", ")
        }
        let found = findings.isEmpty ? "nothing else that translates Services was found" : texts(findings)
        let unread = unread.isEmpty ? "" : "; not looked at: \(unread.joined(separator: ", "))"
        if let asked {
            self.init(mode: asked, reason: "as --services says; \(found)\(unread)")
            return
        }
        let plugins = findings.filter { !$0.component.isKubeProxy }
        // Open vSwitch forwards for many plugins; where kube-proxy is there, it is kube-proxy that translates.
        let translating = plugins.filter { plugin in
            plugin.component != .openVSwitch || !findings.contains(where: \.component.isKubeProxy)
        }
        self.init(
            mode: translating.isEmpty ? .translate : .observe,
            reason: "detected: " + (translating.isEmpty ? found : texts(translating)) + unread)
    }

    private enum CodingKeys: String, CodingKey {
        case mode = "mode"
        case reason = "reason"
    }
}
