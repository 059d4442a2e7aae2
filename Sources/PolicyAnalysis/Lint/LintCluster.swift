import NetTypes
import PolicyAPI
import PolicyIR

/// The objects that checks inspect, indexed once: which pods a policy selects, which policies select a pod, which pods a
/// peer matches.
final class LintCluster {
    /// A class of pods that policies cannot tell apart.
    typealias PodClass = IdentityIndex.ClassID

    /// The objects.
    let objects: ClusterObjects
    /// The policies as written; those that isolate the subject of a refused object are left out.
    let policies: [LoweredPolicy]
    /// Each policy's subject, for comparisons that need no pods.
    let scopes: [SubjectScope?]
    /// By policy: the classes of pods it selects.
    let subjects: [[PodClass]]
    /// By class: the policies that select it.
    let applying: [PodClass: [Int]]
    /// Running pods on the pod network by class.
    let pods: [PodClass: [Pod]]
    /// The container ports of a class's pods, each once.
    let ports: [PodClass: [ContainerPort]]
    /// Namespaces by name.
    let namespaces: [String: Namespace]
    /// Namespaces in which workloads stand for their pods: operators and charts may run others beside them.
    let estimated: Set<String>
    /// Namespaces with known pods that have labels: only there can a selector be known to match nothing. A pod without labels
    /// does not count.
    let populated: Set<String>
    /// The policy that a rule of an object was lowered to, by its origin.
    let numbers: [RuleOrigin: Int]
    /// Policies by the namespace of their subjects; `nil` for any namespace.
    private let policiesOfNamespace: [String?: [Int]]
    private var covering: [Int: [Int]] = [:]
    private var coveringScope: [SubjectScope: [Int]] = [:]
    private var knownLabels: [Set<String>?: KnownLabels] = [:]
    /// The labels of known pods by namespace.
    private let labelsOfNamespace: [String: Set<[String: String]>]
    private var classesOfTerm: [IdentityIndex.TermID: [PodClass]] = [:]
    private var index: IdentityIndex

    init(_ objects: ClusterObjects, policies all: [LoweredPolicy], estimated: Set<String> = []) {
        self.objects = objects
        self.estimated = estimated
        let policies = all.filter { !$0.origin.isRefused }
        self.policies = policies
        scopes = policies.map { SubjectScope($0.subject) }
        numbers = Dictionary(
            policies.enumerated().map { ($1.origin, $0) }, uniquingKeysWith: { first, _ in first })
        namespaces = Dictionary(
            objects.namespaces.map { ($0.metadata.name, $0) }, uniquingKeysWith: { first, _ in first })

        var index = IdentityIndex(objects, policies: policies, localNode: ClusterView.defaultNode(of: objects))
        var pods: [PodClass: [Pod]] = [:]
        var populated: Set<String> = []
        var labels: [String: Set<[String: String]>] = [:]
        for pod in objects.pods where !pod.hostNetwork && !pod.isFinished {
            let podClass = index.podClass(of: pod)
            let addresses: [IPAddress?] = pod.addresses.isEmpty ? [nil] : pod.addresses
            for address in addresses { index.retain(index.remote(of: podClass, at: address)) }
            if pods[podClass] == nil { labels[pod.metadata.namespace, default: []].insert(pod.metadata.labels) }
            pods[podClass, default: []].append(pod)
            if !pod.metadata.labels.isEmpty { populated.insert(pod.metadata.namespace) }
        }
        self.pods = pods
        ports = pods.mapValues { pods in
            // Mostly they are replicas, which declare the same.
            pods.reduce(into: []) { known, pod in
                for port in pod.ports where !known.contains(port) { known.append(port) }
            }
        }
        self.populated = populated
        labelsOfNamespace = labels

        var selectors = SubjectIndex(policies, in: &index)
        var subjects: [[PodClass]] = Array(repeating: [], count: policies.count)
        var applying: [PodClass: [Int]] = [:]
        for podClass in pods.keys.sorted() {
            let found = selectors.applying(to: podClass, of: policies, in: &index)
            applying[podClass] = found
            for number in found { subjects[number].append(podClass) }
        }
        self.subjects = subjects
        self.applying = applying

        var byNamespace: [String?: [Int]] = [:]
        for (number, scope) in scopes.enumerated() {
            guard let scope else { continue }
            for namespace in scope.namespaces?.map(Optional.some) ?? [nil] {
                byNamespace[namespace, default: []].append(number)
            }
        }
        policiesOfNamespace = byNamespace
        self.index = index
    }

    /// The classes of pods that a peer matches, sorted.
    func pods(matching peer: Peer) -> [PodClass] {
        guard let term = index.term(of: peer) else { return [] }
        if let known = classesOfTerm[term] { return known }
        let found = index.podClasses(matching: term)
        classesOfTerm[term] = found
        return found
    }

    /// The policies that select every pod that a policy selects, itself included: by comparing selectors, or known pods.
    func policies(covering number: Int) -> [Int] {
        if let known = covering[number] { return known }
        var found = policiesBySelector(covering: number)
        if let first = subjects[number].first {
            var others = Set(applying[first] ?? []).subtracting(found)
            for podClass in subjects[number].dropFirst() where !others.isEmpty {
                others.formIntersection(applying[podClass] ?? [])
            }
            if !others.isEmpty { found = (found + others).sorted() }
        }
        covering[number] = found
        return found
    }

    /// Pairs of policies of which one or the other selects each pod that a policy selects, whatever pods exist: `tier in (a)` and
    /// `tier not in (a)`.
    func complements(within number: Int) -> [[Int]] {
        guard let scope = scopes[number] else { return [] }
        /// The one condition by which a policy's scope is narrower.
        func extra(_ other: Int) -> SubjectScope.Condition? {
            guard let narrower = scopes[other],
                narrower.namespaces == nil || scope.namespaces?.isSubset(of: narrower.namespaces ?? []) == true
            else { return nil }
            let extra = narrower.conditions.subtracting(scope.conditions)
            return extra.count == 1 ? extra.first : nil
        }
        let candidates =
            (policiesOfNamespace[nil] ?? [])
            + (scope.namespaces ?? []).sorted().flatMap { policiesOfNamespace[$0] ?? [] }
        let narrower = candidates.compactMap { other in extra(other).map { (other, $0) } }
        var found: [[Int]] = []
        for (index, (first, condition)) in narrower.enumerated() {
            for (second, opposite) in narrower.dropFirst(index + 1) where condition.isOpposite(of: opposite) {
                found.append([first, second])
            }
        }
        return found
    }

    /// The policies that select every pod that a policy selects, itself included, whatever pods exist.
    private func policiesBySelector(covering number: Int) -> [Int] {
        guard let scope = scopes[number] else { return [number] }
        if let known = coveringScope[scope] { return known }
        var candidates = policiesOfNamespace[nil] ?? []
        if let names = scope.namespaces {
            for name in names.sorted() { candidates += policiesOfNamespace[name] ?? [] }
        }
        let found = Set(candidates).filter { scopes[$0]?.covers(scope) ?? false }.sorted()
        coveringScope[scope] = found
        return found
    }
}

extension LintCluster {
    /// Whether all pods of the namespaces are known, and not only their workloads.
    func knowsAllPods(of names: Set<String>?) -> Bool {
        names.map { $0.isSubset(of: populated) && $0.isDisjoint(with: estimated) } ?? estimated.isEmpty
    }

    /// Whether other policies isolate, in a direction, every pod that this one selects: by comparing selectors, or for each
    /// of the known pods.
    func isIsolatedByOthers(_ number: Int, _ direction: Direction) -> Bool {
        let others = { (found: [Int]) in
            found.contains { $0 != number && self.policies[$0][direction]?.isolates == true }
        }
        if others(policies(covering: number)) { return true }
        return !subjects[number].isEmpty && subjects[number].allSatisfy { others(applying[$0] ?? []) }
    }

    /// The labels of the known pods of some namespaces, or of all.
    func labels(of names: Set<String>?) -> KnownLabels {
        if let known = knownLabels[names] { return known }
        var found: Set<[String: String]> = []
        if let names {
            for name in names { found.formUnion(labelsOfNamespace[name] ?? []) }
        } else {
            for labels in labelsOfNamespace.values { found.formUnion(labels) }
        }
        let labels = KnownLabels(Array(found))
        knownLabels[names] = labels
        return labels
    }
}
