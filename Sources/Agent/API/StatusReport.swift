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
    }

    /// Name of the instance.
    public var instance: String
    /// Process id of the agent.
    public var processID: Int32
    /// Seconds since it started.
    public var uptimeSeconds: UInt64
    /// How many times the kernel was brought to a new state.
    public var revision: UInt64
    /// Whether everything seen is in force.
    public var isSettled: Bool
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
    /// Milliseconds the latest change took, from its settling to the kernel holding it.
    public var lastApplyMilliseconds: UInt64
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
}

/// One row of `netpold endpoints`.
public struct EndpointReport: Hashable, Codable, Sendable {
    /// What is known of an endpoint.
    public enum State: String, Hashable, Codable, Sendable {
        /// Its policies are in place.
        case ready
        /// The pod's network namespace has not been found.
        case waiting
        /// It was found and is not programmed yet.
        case pending
        /// It could not be programmed.
        case failed
        /// A network namespace without a pod: nothing is enforced.
        case unenforced
        /// A network namespace without a pod, isolated.
        case isolated
    }

    /// `namespace/name`; for a namespace without pod its netns.
    public var name: String
    /// Addresses in text form.
    public var addresses: [String]
    /// Name of the network namespace, if found.
    public var netns: String?
    /// Host side of the veth, if found.
    public var interface: String?
    /// Its index.
    public var ifindex: UInt32?
    /// Slot in np_endpoints.
    public var slot: UInt32?
    /// Identity number.
    public var identity: UInt32?
    /// Policies that apply to traffic to the pod, `Kind namespace/name`.
    public var ingressPolicies: [String]
    /// Policies that apply to traffic from the pod.
    public var egressPolicies: [String]
    /// Whether what no rule allows is denied, towards the pod.
    public var isIngressIsolated: Bool
    /// Whether what no rule allows is denied, from the pod.
    public var isEgressIsolated: Bool
    /// Revision of the endpoint in the datapath.
    public var revision: UInt32?
    /// The state.
    public var state: State
}
