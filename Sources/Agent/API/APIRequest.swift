/// What a client may ask the agent.
public enum APIRequest: Hashable, Codable, Sendable {
    /// One `APIReply.status`.
    case status
    /// One `APIReply.endpoints`.
    case endpoints
    /// `APIReply.verdict` and `.lost` until the client hangs up.
    case monitor(MonitorFilter)
    /// Reads the manifests again; one `APIReply.settled` when everything read is in force, or after the time-out.
    case wait(timeoutMilliseconds: Int)
}

/// Which verdicts a monitor wants.
public struct MonitorFilter: Hashable, Codable, Sendable {
    /// Only drops.
    public var dropsOnly: Bool
    /// Only flows of this pod, `namespace/name`.
    public var pod: String?
    /// Only verdicts that this policy decided or, for a default deny, took part in: `name` or `namespace/name`.
    public var policy: String?

    /// A filter.
    public init(dropsOnly: Bool = false, pod: String? = nil, policy: String? = nil) {
        self.dropsOnly = dropsOnly
        self.pod = pod
        self.policy = policy
    }

    /// Whether a verdict is wanted.
    public func accepts(_ verdict: FlowVerdict) -> Bool {
        if dropsOnly && !verdict.isDrop { return false }
        if let pod, verdict.source.pod != pod && verdict.destination.pod != pod { return false }
        if let policy {
            let involved = [verdict.rule?.object].compactMap(\.self) + verdict.isolatedBy.map(\.object)
            return involved.contains { MonitorFilter.names(policy, $0) }
        }
        return true
    }

    /// Whether `wanted` names an object written as `Kind namespace/name` or `Kind name`.
    private static func names(_ wanted: String, _ object: String) -> Bool {
        let name = object.split(separator: " ").last.map(String.init) ?? object
        return name == wanted || name.split(separator: "/").last.map(String.init) == wanted
    }
}
