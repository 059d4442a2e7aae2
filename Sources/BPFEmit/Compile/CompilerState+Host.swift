import NetTypes
import PolicyAPI
import PolicyIR

/// The node itself as a subject: CiliumClusterwideNetworkPolicy with `nodeSelector` (docs/spec/cilium-network-policy.md 16).
extension CompilerState {
    /// The subject's key. No class of pods has it: theirs begin with a namespace.
    public static let hostSubjectKey = "node"

    /// Compiles the node's own policies from now on.
    public mutating func compileHost() {
        guard hostSubject == nil else { return }
        // A pod without a name and labels stands for the node: it has no named ports, and no address makes it a remote end.
        let podClass = index.podClass(of: Pod(metadata: ObjectMeta(name: "")))
        let applying = slots.applying(toNode: hostLabels)
        let new = subjects.reserveNumber()
        let key = CompilerState.hostSubjectKey
        let ingress = use(.ingress, of: podClass, applying, by: new, named: key)
        let egress = use(.egress, of: podClass, applying, by: new, named: key)
        subjects.add(
            SubjectTable.Subject(
                key: key, podClass: podClass, namespace: "", applying: applying, ingress: ingress, egress: egress,
                pods: 1),
            as: new)
        hostSubject = new
        compiled.compileWaiting(in: &index)
        _ = compiled.takeChanges()
        observe()
    }

    /// Whether policies select this node that are not compiled, because nobody enforces them.
    public var hasIdleHostPolicies: Bool { hostSubject == nil && !slots.applying(toNode: hostLabels).isEmpty }

    /// Finds out which policies select the node now.
    mutating func reselectHost(_ batch: inout Batch) {
        guard let number = hostSubject, let subject = subjects[number] else { return }
        let applying = slots.applying(toNode: hostLabels)
        let isTouched =
            !Set(batch.retired).isDisjoint(with: subject.applying)
            || !Set(batch.installed).isDisjoint(with: applying)
        guard isTouched || applying != subject.applying else { return }
        subjects.setApplying(number, applying)
        for direction in Direction.allCases { move(number, subject, direction, applying, &batch) }
    }

    /// The node in an image; `nil` where its policies are not compiled.
    var hostEndpoint: EndpointImage? {
        hostSubject.map { _ in
            let key = EndpointKey.host
            return EndpointImage(
                namespace: key.namespace, name: key.name, uid: key.uid, addresses: [],
                subject: CompilerState.hostSubjectKey, identity: ReservedIdentity.host.rawValue)
        }
    }

    /// As `NodeImage.hostFingerprint`.
    var hostFingerprint: UInt64 {
        guard let number = hostSubject, let subject = subjects[number] else { return 0 }
        // FNV-1a over what the rules say: the same on every machine and in every process.
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for direction in Direction.allCases {
            let policy = compiled.policies[subject[direction]].policy
            let rules = policy.rules.map {
                "\($0.action) \(RuleText.text($0.peers)) \(RuleText.text($0.traffic))"
            }
            for byte in "\(direction) \(policy.isIsolated)\n\(rules.joined(separator: "\n"))\n".utf8 {
                hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3
            }
        }
        return max(hash, 1)
    }

    /// The labels by which host policies select this node, as `ClusterView.hostLabels` has them.
    private var hostLabels: CiliumLabels {
        CiliumLabels(host: nodes[localNode]?.metadata.labels ?? [:], reserved: index.localReserved)
    }
}
