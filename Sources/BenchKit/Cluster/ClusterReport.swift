/// What `ClusterBench` has measured.
public struct ClusterReport: Sendable {
    /// From an object's change in the API server until it holds in the kernel. The parts follow each other.
    public struct Sample: Sendable {
        /// From the server's beginning to write until the agent knows that something came: the server's own work, TLS, decoding.
        public var delivery: Duration
        /// Until the compiler starts: the state of objects and bindings, and what is waited for more events.
        public var reduce: Duration
        /// Compiling.
        public var compile: Duration
        /// Working out what to do.
        public var plan: Duration
        /// Loading programs, with the kernel's verification.
        public var load: Duration
        /// Writing maps.
        public var swap: Duration
        /// Waiting for programs that were running.
        public var grace: Duration
        /// Raising revisions.
        public var revisions: Duration
        /// Programs that were loaded.
        public var programs: Int
        /// CPU time of the whole process for the change, what comes after it is in force included.
        public var processorTime: Duration

        /// Until an address that changed has its identity in the kernel's map.
        public var untilUsable: Duration { delivery + reduce + compile + plan + load + swap }
        /// Until every packet is decided by the new state.
        public var untilInForce: Duration { untilUsable + grace + revisions }
    }

    /// One kind of change.
    public struct Series: Sendable {
        /// What is done.
        public var name: String
        /// Each time.
        public var samples: [Sample] = []
    }

    /// One policy that selects one local pod gets another port.
    public var policies = Series(name: "policy edited that selects 1 local pod")
    /// One policy that selects all local pods gets another port.
    public var everywhere = Series(name: "policy edited that selects 50 local pods")
    /// A remote pod of a deployment that is known comes.
    public var known = Series(name: "remote pod added, labels known")
    /// A remote pod with labels that nobody had comes.
    public var new = Series(name: "remote pod added, labels new")
    /// Bytes of resident memory with nothing but the process started.
    public var residentAtStart = 0
    /// Bytes when everything is in force.
    public var resident = 0
    /// Bytes after all changes.
    public var residentAtEnd = 0
    /// What those are.
    public var residentKinds = ResidentKinds()
    /// Pods of the cluster.
    public var pods = 0
    /// From the first request to everything in force.
    public var firstState = Duration.zero
    /// CPU time of that.
    public var firstStateCPU = Duration.zero
    /// How long nothing changed.
    public var idle = Duration.zero
    /// CPU time of the agent in that time.
    public var idleCPU = Duration.zero

    /// Goals of issue 10, in milliseconds: a policy in force, a pod's identity usable.
    public static let policyLimit = 25.0
    /// Milliseconds until a pod's identity is usable.
    public static let podLimit = 5.0
    /// Part of a core while nothing changes.
    public static let idleLimit = 0.01
    /// Bytes of resident memory: 60 MiB with 10,000 pods, 400 MiB with 100,000.
    public var residentLimit: Int { pods <= 10_000 ? 60 << 20 : 400 << 20 }
}
