/// How an agent may follow the Pods of a cluster, and what each way costs.
///
/// A cluster lives for some simulated minutes: pods end and others take their places, a deployment is rolled out now and then, nodes
/// report. What the API server sends to how many watches is counted event by event. The simulation is of objects and events; CPU, bytes
/// and memory of each are `ScaleCosts`.
public struct ScaleSimulation: Sendable {
    /// The cluster.
    public struct Cluster: Hashable, Sendable {
        /// Nodes, with an agent each.
        public var nodes = 5_000
        /// Pods.
        public var pods = 100_000
        /// Part of the pods that is replaced in a minute, besides rollouts.
        public var turnover = 0.002
        /// Rollouts in an hour, of one deployment of `replicas` pods each.
        public var rollouts = 60
        /// Pods of a rollout.
        public var replicas = 100
        /// Part of the pods that is behind Services.
        public var served = 0.6
        /// Part of the pods that some selector of a policy may ask for: what a label selector of the watch lets pass.
        public var selected = 0.3
        /// Policies that are changed in an hour.
        public var policyChanges = 30
        /// Seconds between reports of a node whose status did not change (`nodeStatusReportFrequency`).
        public var nodeReport = 300

        /// 5,000 nodes, 100,000 pods.
        public init() {}
    }

    /// How Pods are followed.
    public enum Way: CaseIterable, Sendable {
        /// Every Pod whole, as the agent does.
        case wholePods
        /// Those that some selector may ask for, by labels; own Pods by field.
        case selectedPods
        /// Own Pods whole, others as metadata: without their addresses, which EndpointSlices have of pods behind Services.
        case metadata
        /// Own Pods only: what EndpointSlices and own Pods tell is all that is known.
        case ownPods
    }

    /// What one way costs.
    public struct Outcome: Sendable {
        /// The way.
        public var way: Way
        /// Bytes that one agent reads when it starts.
        public var startBytes: Double
        /// Events a second that one agent gets.
        public var eventsPerNode: Double
        /// Bytes a second that one agent gets.
        public var bytesPerNode: Double
        /// Writes to watches a second, all agents together.
        public var serverWrites: Double
        /// Bytes a second, all agents together.
        public var serverBytes: Double
        /// Part of a core for decoding in one agent.
        public var decodeShare: Double
        /// Resident bytes for Pods in one agent.
        public var memory: Double
        /// Part of the pods whose address and labels the agent knows: a policy that names the others by labels cannot be enforced.
        public var known: Double
    }

    /// Events that were sent, by what they are of.
    private struct Counts {
        var pods = 0
        var selectedPods = 0
        var slices = 0
        /// Endpoints in the slices that were sent.
        var sliceEndpoints = 0
        var nodes = 0
        var policies = 0
    }

    private let cluster: Cluster
    private let costs: ScaleCosts
    private let seconds: Int

    /// A simulation of so many seconds.
    public init(_ cluster: Cluster, _ costs: ScaleCosts, seconds: Int = 1_800) {
        self.cluster = cluster
        self.costs = costs
        self.seconds = max(seconds, 1)
    }

    /// Events of a Pod's life that a watch of Pods sees: ADDED, bound, started with its address, ready.
    private static let eventsOfBirth = 4
    /// Not ready, deletionTimestamp set, ended, DELETED.
    private static let eventsOfDeath = 4
    /// Endpoints of a slice are at most so many.
    private static let endpointsOfSlice = 100

    /// The cost of every way.
    public func run() -> [Outcome] {
        let counts = count()
        return Way.allCases.map { outcome($0, counts) }
    }

    /// Lives through the time, second by second.
    private func count() -> Counts {
        var counts = Counts()
        var random = SplitMix(state: 1)
        var due: [String: Double] = [:]
        /// How many of something that comes so often a second come in this one.
        func coming(_ name: String, _ rate: Double) -> Int {
            let sum = due[name, default: random.unit()] + rate
            due[name] = sum - sum.rounded(.down)
            return Int(sum)
        }
        for _ in 0..<seconds {
            let replaced =
                coming("turnover", Double(cluster.pods) * cluster.turnover / 60)
                + coming("rollout", Double(cluster.rollouts) / 3600) * cluster.replicas
            for _ in 0..<replaced {
                let events = ScaleSimulation.eventsOfBirth + ScaleSimulation.eventsOfDeath
                counts.pods += events
                if random.unit() < cluster.selected { counts.selectedPods += events }
                guard random.unit() < cluster.served else { continue }
                // The new one in, ready; the old one terminating, out. Each writes its slice anew.
                let changes = 4
                counts.slices += changes
                counts.sliceEndpoints += changes * (1 + Int(random.unit() * Double(ScaleSimulation.endpointsOfSlice)))
            }
            counts.nodes += coming("nodes", Double(cluster.nodes) / Double(cluster.nodeReport))
            counts.policies += coming("policies", Double(cluster.policyChanges) / 3600)
        }
        return counts
    }

    private func outcome(_ way: Way, _ counts: Counts) -> Outcome {
        let (nodes, pods, time) = (Double(cluster.nodes), Double(cluster.pods), Double(seconds))
        let own = pods / nodes
        let endpoints = pods * cluster.served
        let slices = endpoints / Double(ScaleSimulation.endpointsOfSlice / 2)
        // What every way has: nodes, policies, Services' endpoints.
        var start =
            nodes * costs.node + endpoints * costs.endpoint + slices * costs.slice + 1_000 * costs.policy
        var events = Double(counts.nodes + counts.policies + counts.slices)
        var bytes =
            Double(counts.nodes) * (costs.node + costs.envelope) + Double(counts.policies) * costs.policy
            + Double(counts.slices) * (costs.slice + costs.envelope) + Double(counts.sliceEndpoints) * costs.endpoint
        var decode = 0.0
        var memory = 0.0
        /// Some of the pods, each of so many bytes.
        func follow(_ some: Double, events count: Double, size: Double) {
            start += some * size
            events += count
            bytes += count * (size + costs.envelope)
            // Decoding reads every byte; what is kept of a Pod does not depend on what was left out.
            decode += count * costs.podDecode * size / costs.pod
            memory += some * costs.podMemory
        }
        let ownEvents = Double(counts.pods) / nodes
        let known: Double
        switch way {
        case .wholePods:
            follow(pods, events: Double(counts.pods), size: costs.pod)
            known = 1
        case .selectedPods:
            follow(pods * cluster.selected, events: Double(counts.selectedPods), size: costs.pod)
            follow(own, events: ownEvents, size: costs.pod)
            // All that policies ask for; of the others only that they are pods is not known.
            known = cluster.selected
        case .metadata:
            follow(pods, events: Double(counts.pods), size: costs.podMetadata)
            follow(own, events: ownEvents, size: costs.pod)
            known = cluster.served
        case .ownPods:
            follow(own, events: ownEvents, size: costs.pod)
            known = own / pods
        }
        return Outcome(
            way: way, startBytes: start, eventsPerNode: events / time, bytesPerNode: bytes / time,
            serverWrites: events / time * nodes, serverBytes: bytes / time * nodes, decodeShare: decode / time / 1e9,
            memory: memory, known: known)
    }
}

/// Random numbers of a seed: the same table each time.
private struct SplitMix {
    var state: UInt64

    /// 0 to 1, without 1.
    mutating func unit() -> Double {
        state &+= 0x9e37_79b9_7f4a_7c15
        var value = state
        value = (value ^ (value >> 30)) &* 0xbf58_476d_1ce4_e5b9
        value = (value ^ (value >> 27)) &* 0x94d0_49bb_1331_11eb
        return Double((value ^ (value >> 31)) >> 11) * 0x1p-53
    }
}
