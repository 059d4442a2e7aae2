public import BPFEmit

/// The kernel side, as the agent sees it. Calls come one at a time.
public protocol DatapathPort {
    /// Reads verdict events.
    associatedtype Reader: VerdictReader

    /// Brings the kernel to the image; what is equal already is not touched. `links` are the indices of the host sides of
    /// each pod's veths, `masters` the interfaces that such a one is enslaved to (bridge, VRF), directly or not.
    func apply(
        _ image: NodeImage, links: [EndpointKey: [UInt32]], masters: [UInt32: [UInt32]]
    ) throws -> ApplyReport
    /// Closes those of these interfaces that have no program yet, where no image could be applied; the next one that can be opens them.
    func close(_ interfaces: Set<UInt32>) throws
    /// Hooks at which not every packet is decided as the image says, as the kernel has them now.
    func auditHooks() -> [HookFinding]
    /// Decides anew which pods' new flows may go past the node's stack; `nil` where none ever do.
    func refreshFastPath() throws -> FastPathReport?
    /// What each counter stands for since the latest apply, programs it retired included.
    var ruleHitIndex: RuleHitIndex { get }
    /// Counters since the maps were made.
    func counters() throws -> DatapathCounters
    /// Packets that policy programs decided, by what decided them; zero ones left out.
    func packetsByRule() throws -> [RuleHitKey: UInt64]
    /// Looks through the flows that are remembered, from any thread.
    func makeFlowReader() throws -> any FlowReading
    /// How much of each limit is in use.
    func capacities() throws -> [CapacityUse]
    /// Removes conntrack entries of flows that are over, in a part of the table, and gives pods with many flows more room. The
    /// next call goes on with the next part, until the collection is complete.
    func collectConntrack() throws -> ConntrackCollection
    /// How it stands with the node's own policies in the kernel, as of now; `nil` where it has no notion of them.
    func hostStanding() throws -> HostStanding?
    /// Removes what pods have learnt of names and that has ended; by pod, what it has.
    func collectLearnt() throws -> [EndpointKey: LearntUse]
    /// Puts what a pod has learnt of names into force.
    func learn(_ pod: EndpointKey, _ history: [LearntName]) throws
    /// Starts the writing of event records. One reader at a time; records of earlier ones are not read.
    func makeEventReader(_ interest: EventInterest) throws -> Reader
}

/// What programs tell about names. Used by several threads.
public protocol NameReading: Sendable {
    /// Waits until there are records, a short time at most.
    func wait() throws
    /// The next records, oldest first: those that are there.
    func take() throws -> [NameRecord]
}

/// Verdict events while somebody listens. Used by one thread, which need not be the datapath's.
public protocol VerdictReader {
    /// The next events, oldest first; waits a short time for them. Empty when there were none.
    func read() throws -> [VerdictRecord]
    /// Chooses anew which packets records are written of.
    func listen(to interest: EventInterest) throws
    /// Ends the writing of records.
    func stop() throws
}
