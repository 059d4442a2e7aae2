import BPFEmit

/// Whether the agent enforces what it was asked to, in one place: the first line of `status`, the exit codes of `status` and
/// `agent --once`, and readiness are all made from this value. Pure: what is known in, the answer out.
public struct Health: Hashable, Codable, Sendable {
    /// Something that is not as it should be.
    public struct Problem: Hashable, Codable, Sendable, Comparable {
        /// What it is about: an object, file, pod, interface or address.
        public var subject: String
        /// A sentence.
        public var message: String

        /// A problem.
        public init(subject: String, message: String) {
            self.subject = subject
            self.message = message
        }

        /// By subject, message.
        public static func < (left: Problem, right: Problem) -> Bool {
            (left.subject, left.message) < (right.subject, right.message)
        }

        private enum CodingKeys: String, CodingKey {
            case subject = "subject"
            case message = "message"
        }
    }

    /// What keeps the node from enforcing everything as written, sorted. Empty: every local pod is enforced as the objects
    /// read last say, and no file, policy, namespace, interface or address is in a severe condition.
    public var problems: [Problem]
    /// What is wrong with enforcement itself, sorted: the part of the problems that no author of a policy and no pod can
    /// cause. Empty: the node does its work.
    public var faults: [Problem]
    /// Why the agent cannot go on by itself, so that it should be started anew; `nil` while it works.
    public var standstill: Problem?

    /// Whether everything is as written.
    public var isHealthy: Bool { problems.isEmpty }
    /// Whether the node enforces; whoever writes a bad policy does not change that.
    public var isReady: Bool { faults.isEmpty }

    private enum CodingKeys: String, CodingKey {
        case problems = "problems"
        case faults = "faults"
        case standstill = "standstill"
    }

    /// What an answer is made from.
    struct Facts: Sendable {
        /// Changes of the inputs seen so far; 0 before all of them were read once.
        var generation: UInt64
        /// The one of them that the kernel holds; 0 before the first apply.
        var appliedGeneration: UInt64
        /// For how long the kernel has not held what was seen last.
        var pendingFor: Duration
        /// What is being read, and for how long.
        var readings: [(subject: String, time: Duration)] = []
        /// For how long the kernel work at hand has been going on; `nil` when there is none.
        var workingFor: Duration?
        /// Which pods are behind which interfaces.
        var view: BindingView
        /// The latest report of the datapath.
        var report: ApplyReport?
        /// What the operator should know.
        var conditions: [Condition]

        /// Facts.
        init(
            generation: UInt64 = 0, appliedGeneration: UInt64 = 0, pendingFor: Duration = .zero,
            workingFor: Duration? = nil,
            view: BindingView = BindingView(), report: ApplyReport? = nil, conditions: [Condition] = []
        ) {
            self.generation = generation
            self.appliedGeneration = appliedGeneration
            self.pendingFor = pendingFor
            self.workingFor = workingFor
            self.view = view
            self.report = report
            self.conditions = conditions
        }
    }

    /// A change that takes longer than this to come into force is a fault.
    public static let patience = Duration.seconds(30)

    /// What comes into force within this time is on its way: in a busy cluster there is always a change under way, and an
    /// answer that depends on the millisecond of the question is of no use to a script.
    public static let settling = Duration.seconds(2)

    /// A single piece of work on the kernel never takes so long.
    public static let endurance = Duration.seconds(120)

    /// Conditions that are not severe, for no pod is less protected than it should be, and yet are not what was written.
    static let unmet: Set<Condition.Kind> = [
        .keptLastGood, .isolatedByRefused, .compiledClosed, .sourceUnavailable, .addressConflict,
        .proxyMissing,
    ]
    /// Conditions of enforcement itself.
    static let ofEnforcement: Set<Condition.Kind> = [
        .applyFailed, .endpointFailed, .hookBypassed, .nodeNameUnknown,
    ]

    /// The answer.
    init(_ facts: Facts) {
        var problems: Set<Problem> = []
        var faults: Set<Problem> = []
        for condition in facts.conditions {
            let problem = Problem(subject: condition.subject, message: condition.message)
            if condition.isSevere || Health.unmet.contains(condition.kind) { problems.insert(problem) }
            if Health.ofEnforcement.contains(condition.kind) { faults.insert(problem) }
        }

        // The rest is said by the state itself, whether or not a condition says it too.
        if facts.appliedGeneration == 0 {
            let nothing = Problem(subject: "agent", message: "nothing has been put in force by it yet")
            problems.insert(nothing)
            faults.insert(nothing)
        } else if facts.appliedGeneration != facts.generation, facts.pendingFor > Health.settling {
            let pending = Problem(subject: "agent", message: "changes that were read are not in force yet")
            problems.insert(pending)
            if facts.pendingFor > Health.patience { faults.insert(pending) }
        }
        let named = Set(facts.conditions.filter(\.isSevere).map(\.subject))
        let reported = Dictionary((facts.report?.endpoints ?? []).map { ($0.key, $0) }) { first, _ in first }
        for key in facts.view.links.keys where !named.contains("\(key)") {
            switch reported[key] {
            case nil: problems.insert(Problem(subject: "\(key)", message: "its policies are not in place yet"))
            case let endpoint? where endpoint.failure != nil:
                let failed = Problem(subject: "\(key)", message: endpoint.failure ?? "")
                problems.insert(failed)
                faults.insert(failed)
            case .some: break
            }
        }
        for pod in facts.view.waiting where pod.phase == "Running" && !named.contains(pod.qualifiedName) {
            problems.insert(
                Problem(
                    subject: pod.qualifiedName, message: "nothing is enforced on the pod: its interface was not found"))
        }
        for reading in facts.readings where reading.time > Health.patience {
            let stalled = Problem(
                subject: reading.subject,
                message: "being read for \(reading.time.components.seconds) s: what changed since is not known")
            problems.insert(stalled)
            faults.insert(stalled)
        }
        if let working = facts.workingFor, working > Health.endurance {
            let standstill = Problem(
                subject: "agent",
                message: "one piece of work on the kernel has been going on for \(working.components.seconds) s")
            problems.insert(standstill)
            faults.insert(standstill)
            self.standstill = standstill
        }
        self.problems = problems.sorted()
        self.faults = faults.sorted()
    }
}
