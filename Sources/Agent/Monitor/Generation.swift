import BPFEmit
import NetTypes
import PolicyAPI
import PolicyIR
import Synchronization

/// What the numbers in event records stand for from one apply to the next.
final class Generation: Sendable {
    /// A slot of np_endpoints.
    struct Slot: Hashable, Sendable {
        /// The pod.
        var key: EndpointKey
        /// Its revision: never handed out twice, so with the slot it names the pod for certain.
        var revision: UInt32
    }

    private static let count = Atomic<UInt64>(0)

    /// No two have the same, unlike addresses of objects, which are used again.
    let number = count.add(1, ordering: .relaxed).newValue
    /// When the kernel began to hold it.
    let began: KernelTime
    /// By number.
    let slots: [UInt32: Slot]
    /// What counters stand for, programs that this apply retired included.
    let hits: RuleHitIndex
    private let compiled: CompiledNode?

    /// What costs something to make: made when it is first needed, on the thread that needs it.
    private struct Made {
        var names: ReferenceEvaluator?
        var evaluator: ReferenceEvaluator?
    }

    private let made = Mutex(Made())

    init(began: KernelTime, report: ApplyReport?, hits: RuleHitIndex, compiled: CompiledNode?) {
        self.began = began
        self.hits = hits
        self.compiled = compiled
        slots = Dictionary(
            (report?.endpoints ?? []).map { ($0.slot, Slot(key: $0.key, revision: $0.revision)) }
        ) { first, _ in first }
    }

    /// A generation of which nothing is known.
    static let unknown = Generation(
        began: KernelTime(nanoseconds: 0), report: nil, hits: RuleHitIndex(), compiled: nil)

    /// The image; `nil` before the first apply.
    var image: NodeImage? { compiled?.image }

    /// The policies that are not in force as written, and why.
    var notAsWritten: [ObjectKey: [Diagnostic]] { compiled?.notAsWritten ?? [:] }

    /// Those of them for whose prefixes there is no room, and what is in force in their places.
    var withoutRoom: [ObjectKey: LoweredPolicies] { compiled?.withoutRoom ?? [:] }

    /// Number of identity to what it stands for.
    var identities: [UInt32: String] {
        Dictionary((compiled?.image.identities ?? []).map { ($0.number, $0.label) }) { first, _ in first }
    }

    /// The addresses of a pod by its name.
    func addresses(of pod: String) -> Set<IPAddress> {
        let names = pod.split(separator: "/", maxSplits: 1).map(String.init)
        guard names.count == 2, let compiled else { return [] }
        let key = ObjectKey(kind: ObjectKind.pod.rawValue, namespace: names[0], name: names[1])
        guard case .pod(let object)? = compiled.objects.objects[key] else { return [] }
        return Set(object.addresses)
    }

    /// Resolves addresses; knows no policies. Costs some microseconds a pod of the cluster, once.
    var names: ReferenceEvaluator {
        made.withLock { made in
            if let known = made.evaluator ?? made.names { return known }
            let cluster = compiled.map { $0.objects.cluster(node: $0.node) } ?? ClusterObjects()
            let names = ReferenceEvaluator(cluster, policies: [], localNode: compiled?.node)
            made.names = names
            return names
        }
    }

    /// What explanations are made from.
    struct Known: Sendable {
        let objects: ClusterObjects
        let evaluator: ReferenceEvaluator
    }

    /// What explains flows, with what DNS has answered; `nil` before the first apply. Costs about as much as a full compile.
    func known(names: [String: [IPAddress]]) -> Known? {
        guard let compiled else { return nil }
        var objects = compiled.objects.cluster(node: compiled.node)
        objects.names.merge(names) { _, learnt in learnt }
        let evaluator = ReferenceEvaluator(
            objects, policies: compiled.lower(objects).policies, localNode: compiled.node,
            serviceSettings: compiled.services)
        return Known(objects: objects, evaluator: evaluator)
    }

    /// Explains; `nil` when it was not made yet and `makes` is false. Costs about as much as a full compile, once.
    func evaluator(makes: Bool) -> ReferenceEvaluator? {
        made.withLock { made in
            if made.evaluator == nil, makes {
                made.evaluator = compiled?.makeEvaluator() ?? ReferenceEvaluator(ClusterObjects(), policies: [])
            }
            return made.evaluator
        }
    }
}
