import BPFEmit
import NetTypes
import PolicyAPI

/// What the operator should know of the bindings of one moment. Pure.
struct ConditionReading {
    private(set) var conditions: [Condition] = []

    private let table: BindingTable
    private let evidence: HostEvidence
    private let view: BindingView
    /// What the pods behind interfaces are compiled as, by interface.
    private let names: [UInt32: String]

    init(_ table: BindingTable, _ evidence: HostEvidence, _ view: BindingView) {
        self.table = table
        self.evidence = evidence
        self.view = view
        names = Dictionary(
            view.endpoints.flatMap { endpoint in endpoint.links.map { ($0.ifindex, endpoint.pod.qualifiedName) } }
        ) { first, _ in first }
        readNode()
        readBindings()
        readStubs()
        readForeign()
        readWaiting()
        readNamespaces()
        readProblems()
        readConflicts()
        conditions = Set(conditions).sorted()
    }

    private mutating func add(_ kind: Condition.Kind, _ subject: String, _ message: String) {
        conditions.append(Condition(kind: kind, subject: subject, message: message))
    }

    private mutating func readNode() {
        guard !table.isNodeKnown else { return }
        add(
            .nodeNameUnknown, table.settings.node,
            "no Node object and no pod names node \(table.settings.node), so no pod is known to be here; run with --node NAME"
        )
    }

    // MARK: bound pods

    private mutating func readBindings() {
        for binding in table.bindings.values {
            guard let pod = binding.pod else { continue }
            let name = names[binding.link.ifindex] ?? pod.qualifiedName
            let link = binding.link.name
            switch binding.standing {
            case .current:
                if let object = table.object(of: pod), !table.isLocal(object), !object.nodeName.isEmpty {
                    add(
                        .nodeNameMismatch, name,
                        "\(binding.rank.text) says that it is behind \(link) of this node, \(table.settings.node); its "
                            + "nodeName is \(object.nodeName). It is enforced here; check --node")
                }
            case .finished:
                add(
                    .podFinished, name,
                    "the pod is finished, and its interface \(link) is still there: it stays enforced")
            case .gone:
                add(
                    .podObjectGone, name,
                    "there is no such Pod object any more, and its interface \(link) is still there: it stays enforced "
                        + "with its last labels and addresses until the interface is gone")
            case .onHost:
                add(
                    .podObjectGone, name,
                    "the Pod object says hostNetwork: true, and its interface \(link) is still there: it stays enforced "
                        + "with its last labels and addresses")
            }
            guard let contradiction = table.contradictions[binding.link.ifindex] else { continue }
            add(
                .bindingContradicted, link,
                "bound to pod \(name) by \(binding.rank.text), but \(contradiction): it stays bound until it is gone")
        }
    }

    private mutating func readStubs() {
        for binding in table.bindings.values {
            guard let stub = binding.stub else { continue }
            let link = binding.link.name
            let netns = view.stubs.first { $0.link.ifindex == binding.link.ifindex }?.netns ?? link
            switch stub.reason {
            case .noPodObject:
                let pod = stub.reference.isEmpty ? "a pod" : "pod \(stub.reference)"
                add(
                    .unknownIsolated, netns,
                    "interface \(link) is \(pod) by \(binding.rank.text), which has no Pod object: only the node reaches it"
                )
            case .foreign:
                add(
                    .unknownIsolated, netns,
                    "interface \(link) belongs to no known pod: only the node reaches it (--unknown all-isolate)")
            case .contradiction:
                let why = table.contradictions[binding.link.ifindex] ?? "\(binding.rank.text) said several"
                add(
                    .bindingContradicted, link,
                    "cannot tell which pod is behind it: \(why); only the node reaches it until that is clear")
            }
        }
    }

    private mutating func readForeign() {
        // The API server knows every pod, so a stranger there is none of the cluster's business.
        let reading = ClaimReading(table, evidence)
        let links = Dictionary(view.foreign.map { ($0.link.ifindex, $0) }) { first, _ in first }
        for group in reading.groups {
            let best = reading.best(for: group)
            for foreign in group.links.compactMap({ links[$0.ifindex] }) {
                switch best.claim {
                case .missing(let reference):
                    let pod = reference.isEmpty ? "a pod" : "pod \(reference)"
                    add(
                        .unenforcedNamespace, foreign.netns,
                        "interface \(foreign.link.name) is \(pod) by \(best.rank.text), which has no Pod object: nothing is "
                            + "enforced on it; add the pod, or run with --unknown isolate")
                case .silent, .pod, .several:
                    guard foreign.isMounted, table.settings.source == .folder else { continue }
                    // A pod's namespace is there before its address, by which it is known.
                    let looks = table.bareLooks[foreign.link.ifindex, default: 0]
                    if group.isBare, looks < table.settings.patience { continue }
                    add(
                        .unenforcedNamespace, foreign.netns,
                        "interface \(foreign.link.name) belongs to no pod of the manifests: nothing is enforced on it; add "
                            + "the pod, or run with --unknown all-isolate")
                }
            }
        }
    }

    // MARK: pods that were not found

    private mutating func readWaiting() {
        for pod in view.waiting where pod.phase == "Running" && !pod.addresses.isEmpty {
            let reason = AbsenceReason(pod, table, evidence)
            let isPatient = table.absences[pod.qualifiedName, default: 0] < table.settings.patience
            guard reason.isCertain || !isPatient else { continue }
            add(.podUnenforced, pod.qualifiedName, "nothing is enforced on the pod: \(reason.text)")
        }
    }

    // MARK: namespaces

    private mutating func readNamespaces() {
        let bound = Dictionary(
            view.endpoints.flatMap { endpoint in
                endpoint.links.compactMap { link in link.namespace.map { ($0, endpoint.pod.qualifiedName) } }
            }
        ) { first, _ in first }
        for namespace in evidence.namespaces {
            if let failure = namespace.failure {
                add(
                    .evidenceUnreadable, namespace.name,
                    "the network namespace cannot be looked at: \(failure); interfaces in it that are no veths would not be "
                        + "seen")
            }
            guard let pod = bound[namespace.inode] else { continue }
            for interface in namespace.interfaces where interface.reach == .around {
                add(.interfaceUnenforced, pod, ConditionReading.text(interface))
            }
        }
    }

    private static func text(_ interface: NamespaceEvidence.Interface) -> String {
        let start = "interface \(interface.name) (\(interface.kindText)) of the pod "
        if interface.kind == "ifb" {
            return start
                + "can take its packets past the programs at its veth; take NET_ADMIN from the pod, or the module ifb from the node"
        }
        return start + "does not lead through a veth of this node: nothing is enforced on it"
    }

    private mutating func readProblems() {
        for problem in evidence.problems {
            switch problem.kind {
            case .unreadable: add(.evidenceUnreadable, problem.subject, problem.reason)
            case .ignored: add(.evidenceIgnored, problem.subject, problem.reason)
            }
        }
    }

    private mutating func readConflicts() {
        let here = view.endpoints.map(\.pod) + view.waiting
        let bound = Dictionary(view.endpoints.map { ($0.pod.qualifiedName, $0.pod.addresses) }) { first, _ in first }
        for address in Set(here.flatMap(\.addresses)) {
            // A pod that is bound here has the addresses that it is compiled with, whatever its object still tells.
            let owners = table.directory.owners(of: address).filter { bound[$0]?.contains(address) != false }.sorted()
            guard owners.count > 1 else { continue }
            let bound = view.endpoints.first { $0.pod.addresses.contains(address) && $0.isCurrent }
            let consequence =
                bound.map {
                    "\($0.pod.qualifiedName), which is behind \($0.links.map(\.name).joined(separator: ", ")), stays enforced"
                }
                ?? "none of them is bound by this address"
            add(
                .addressConflict, "\(address)",
                "claimed by the live pods \(owners.joined(separator: ", ")): it belongs to none of them, \(consequence)"
            )
        }
    }
}

/// Why nothing of a local pod was found that could be enforced.
struct AbsenceReason {
    /// A sentence.
    let text: String
    /// Whether the evidence says so; else it may only be late.
    let isCertain: Bool

    init(_ pod: Pod, _ table: BindingTable, _ evidence: HostEvidence) {
        let notes = evidence.attachments.filter { !$0.pod.isEmpty && pod.agrees(with: $0.pod) }
        let inodes = Set(notes.compactMap(\.namespace))
        let own = evidence.namespaces.filter { namespace in
            inodes.contains(namespace.inode) || namespace.podUIDs.contains(where: pod.isKnown)
        }
        if let namespace = own.first {
            isCertain = true
            text = AbsenceReason.text(namespace, table, evidence)
        } else if let namespace = evidence.namespaces.first(where: { AbsenceReason.shows(pod, $0) }) {
            isCertain = true
            text = AbsenceReason.text(namespace, table, evidence)
        } else if let note = notes.first {
            isCertain = true
            text = "its network namespace \(note.netns) (\(note.file)) is not there"
        } else {
            isCertain = false
            let closed = evidence.namespaces.filter { $0.failure != nil }.map(\.name)
            text =
                "no interface and no network namespace of it was found"
                + (closed.isEmpty ? "" : "; it may be in \(closed.joined(separator: ", ")), which cannot be looked at")
        }
    }

    private static func text(
        _ namespace: NamespaceEvidence, _ table: BindingTable, _ evidence: HostEvidence
    ) -> String {
        let here = evidence.links.filter { $0.namespace == namespace.inode }
        for binding in here.compactMap({ table.bindings[$0.ifindex] }) {
            let holder = binding.pod.map { "bound to pod \($0.qualifiedName)" } ?? "isolated"
            return "interface \(binding.link.name) into its network namespace \(namespace.name) is \(holder)"
        }
        let links = here.filter { !$0.isEnforceable }
        let around = namespace.interfaces.filter { $0.reach == .around }
        let start = "its network namespace \(namespace.name) "
        if !links.isEmpty {
            return start + "is reached by " + links.map { "\($0.name) (\($0.kind))" }.joined(separator: ", ")
                + ", and not by a veth"
        }
        if let failure = namespace.failure {
            return start + "has no veth to this node and cannot be looked at: \(failure)"
        }
        if !around.isEmpty {
            return start + "has no veth to this node, but "
                + around.map { "\($0.name) (\($0.kindText))" }.joined(separator: ", ")
        }
        return start + "has no interface that leads to this node"
    }

    /// Whether a namespace shows an address of the pod on an interface that no veth sees. Good enough for a reason.
    private static func shows(_ pod: Pod, _ namespace: NamespaceEvidence) -> Bool {
        namespace.interfaces.contains { $0.reach == .around && !Set($0.addresses).isDisjoint(with: pod.addresses) }
    }
}

extension NamespaceEvidence.Interface {
    /// `macvlan`, or `physical` for what has no kind.
    fileprivate var kindText: String { kind.isEmpty ? "physical" : kind }
}
