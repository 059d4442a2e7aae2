import BPFEmit
import NetTypes
import PolicyAPI
import PolicyIR

/// What does not fit into the programs of pods: the agent leaves it out and says so. `explain` and `test` answer by the policies as they are
/// written, so they have to say it too.
struct ProgramLimits {
    /// A direction with no more rules than this has every limit before it: the least is that of lists of names.
    private static let rules = NameColumns.limit
    /// Likewise its conditions on ports, of which there may be thousands.
    private static let clauses = 1_024

    /// What is left out of the policies of some pods.
    ///
    /// - Parameters:
    ///   - pods: those that are asked about; not looked for where all policies together are small.
    ///   - evaluator: says which policies select them.
    ///   - objects: the cluster.
    ///   - policies: those of the evaluator.
    /// - Returns: errors, each once. Nodes are compiled only where a pod has many rules.
    static func omissions(
        of pods: @autoclosure () -> [Pod], _ evaluator: ReferenceEvaluator, _ objects: ClusterObjects,
        _ policies: [LoweredPolicy]
    ) -> [Diagnostic] {
        guard policies.reduce(0, { $0 + size(of: $1) }) > rules else { return [] }
        // Pods that policies see alike have the same ones.
        var known: [CiliumLabels: Bool] = [:]
        var nodes: [String: Set<String>] = [:]
        for pod in pods() where !pod.hostNetwork && !pod.isFinished {
            let subject = evaluator.view.ciliumLabels(of: pod)
            let isLarge =
                known[subject] ?? Direction.allCases.contains { hasMany(evaluator.subjectPolicy(for: pod, $0)) }
            known[subject] = isLarge
            if isLarge { nodes[evaluator.view.node(of: pod), default: []].insert(pod.qualifiedName) }
        }
        var found: Set<Diagnostic> = []
        for (node, pods) in nodes {
            let state = CompilerState(objects, policies: policies, localNode: node)
            found.formUnion(state.omissions(ofPods: pods))
        }
        return found.sorted()
    }

    /// Rules, and conditions on ports beyond one a rule.
    private static func size(of policy: LoweredPolicy) -> Int {
        Direction.allCases.reduce(0) { $0 + (policy[$1]?.rules.reduce(0) { $0 + size(of: $1) } ?? 0) }
    }

    private static func size(of rule: PolicyRule) -> Int {
        guard case .anyOf(let clauses) = rule.traffic else { return 1 }
        return max(1, clauses.count)
    }

    private static func hasMany(_ policy: SubjectPolicy) -> Bool {
        policy.rules.count > rules || policy.rules.reduce(0) { $0 + size(of: $1) } > clauses
    }
}
