public import BPFEmit

/// Which interface a pod of a `NodeImage` is behind.
public struct InterfaceBinding: Hashable, Sendable {
    /// Pod namespace.
    public var namespace: String
    /// Pod name.
    public var pod: String
    /// Pod UID, or empty.
    public var uid: String
    /// Host side of its veth.
    public var ifindex: UInt32
    /// Name of the host side, for messages.
    public var interface: String

    /// A binding.
    public init(namespace: String, pod: String, uid: String, ifindex: UInt32, interface: String) {
        self.namespace = namespace
        self.pod = pod
        self.uid = uid
        self.ifindex = ifindex
        self.interface = interface
    }

    /// `namespace/name`.
    public var qualifiedName: String { "\(namespace)/\(pod)" }
}

/// The kernel side, as the agent sees it. Calls come from one task at a time, except `resolve`.
public protocol DatapathPort: Sendable {
    /// Brings the kernel to the image; what is equal already is not touched.
    func apply(_ image: NodeImage, interfaces: [InterfaceBinding]) throws -> ApplyReport
    /// What a counter index of an event stands for, programs retired a moment ago included.
    func resolve(ruleHit: UInt32) -> HitMeaning?
    /// Counters since the maps were made.
    func counters() throws -> DatapathCounters
    /// How much of each limit is in use.
    func capacities() throws -> [CapacityUse]
    /// Removes conntrack entries of flows that are over.
    func collectConntrack() throws -> ConntrackSweep
    /// Starts or stops the writing of event records; `deliver` is called on a thread of the datapath's own.
    func listen(_ deliver: (@Sendable ([VerdictRecord]) -> Void)?) throws
}
