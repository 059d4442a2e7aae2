public import BPFEmit

/// What `netpold status` shows.
public struct StatusReport: Hashable, Codable, Sendable {
    /// Packets of one reason.
    public struct ReasonCount: Hashable, Codable, Sendable {
        /// Name in netpold_abi.h, or the number.
        public var reason: String
        /// In words.
        public var sentence: String
        /// Whether they were dropped.
        public var isDrop: Bool
        /// How many.
        public var count: PacketCount

        private enum CodingKeys: String, CodingKey {
            case reason = "reason"
            case sentence = "sentence"
            case isDrop = "isDrop"
            case count = "count"
        }
    }

    /// Name of the instance.
    public var instance: String
    /// Process id of the agent.
    public var processID: Int32
    /// Seconds since it started.
    public var uptimeSeconds: UInt64
    /// How many times the kernel was brought to a new state.
    public var applyCount: UInt64
    /// Whether everything seen is in force.
    public var isInForce: Bool
    /// Whether it enforces what it was asked to, and what is in the way.
    public var health: Health
    /// Policies in force, as written or as last accepted.
    public var policiesInForce: Int
    /// Policies of the manifests that are refused.
    public var policiesRefused: Int
    /// Endpoints whose policies are in place.
    public var endpointsReady: Int
    /// Local pods whose network namespace is not there, or that could not be programmed.
    public var endpointsWaiting: Int
    /// Network namespaces that no pod claims.
    public var namespacesUnknown: Int
    /// How hooks are attached: method to number of endpoints.
    public var attachments: [String: Int]
    /// Milliseconds the latest change took, from the end of its debounce delay to the kernel holding it.
    public var lastApplyMilliseconds: UInt64
    /// What it does about Services, and why; `nil` from an agent that does not say.
    public var services: ServiceChoice?
    /// Whether flows between pods of the node go past its stack, and why; `nil` from an agent that does not say.
    public var fastPath: FastPathStatus?
    /// How the proxy stands; `nil` where none runs.
    public var proxy: ProxyStatus?
    /// Patterns of names that the automaton has no room for; `nil` when all fit.
    public var namesLeftOut: [String]?
    /// Use of each limit.
    public var capacities: [CapacityUse]
    /// Packets by reason, those that are not zero.
    public var reasons: [ReasonCount]
    /// Event records the kernel did not write, since load.
    public var eventsSuppressed: UInt64
    /// Verdicts not sent to slow clients, since start.
    public var eventsLost: UInt64
    /// What the operator should know, sorted.
    public var conditions: [Condition]

    private enum CodingKeys: String, CodingKey {
        case instance = "instance"
        case processID = "processID"
        case uptimeSeconds = "uptimeSeconds"
        case applyCount = "applyCount"
        case isInForce = "inForce"
        case health = "health"
        case policiesInForce = "policiesInForce"
        case policiesRefused = "policiesRefused"
        case endpointsReady = "endpointsReady"
        case endpointsWaiting = "endpointsWaiting"
        case namespacesUnknown = "namespacesUnknown"
        case attachments = "attachments"
        case lastApplyMilliseconds = "lastApplyMilliseconds"
        case services = "services"
        case fastPath = "fastPath"
        case proxy = "proxy"
        case namesLeftOut = "namesLeftOut"
        case capacities = "capacities"
        case reasons = "reasons"
        case eventsSuppressed = "eventsSuppressed"
        case eventsLost = "eventsLost"
        case conditions = "conditions"
    }
}
