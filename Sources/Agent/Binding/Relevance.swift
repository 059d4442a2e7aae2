import BPFEmit
import NetTypes
import PolicyAPI

/// What a change of a Pod object of some other node has to speak of to matter to the bindings of this one. Keeps the cost of
/// changes elsewhere independent of this node.
struct Relevance: Sendable {
    private var names: Set<String> = []
    private var uids: Set<String> = []
    private var addresses: Set<IPAddress> = []

    /// Nothing matters yet.
    init() {}

    /// What matters to this state of the bindings.
    init(_ table: BindingTable, _ evidence: HostEvidence) {
        for binding in table.bindings.values {
            if let pod = binding.pod {
                note(pod)
                if let object = table.object(of: pod) { note(object) }
            }
            if let stub = binding.stub { note(stub.reference) }
            addresses.formUnion(binding.noted + binding.behind)
        }
        for pod in table.view.waiting { note(pod) }
        for note in evidence.attachments { self.note(note.pod) }
        uids.formUnion(evidence.namespaces.flatMap(\.podUIDs))
    }

    /// Whether a pod is one of those.
    func concerns(_ pod: Pod) -> Bool {
        names.contains(pod.qualifiedName) || uids.contains(pod.metadata.uid) || !uids.isDisjoint(with: pod.staticUIDs)
            || pod.addresses.contains(where: addresses.contains)
    }

    private mutating func note(_ pod: Pod) {
        names.insert(pod.qualifiedName)
        if !pod.metadata.uid.isEmpty { uids.insert(pod.metadata.uid) }
        uids.formUnion(pod.staticUIDs)
        addresses.formUnion(pod.addresses)
    }

    private mutating func note(_ reference: PodReference) {
        if !reference.name.isEmpty { names.insert("\(reference.namespace)/\(reference.name)") }
        if !reference.uid.isEmpty { uids.insert(reference.uid) }
    }
}
