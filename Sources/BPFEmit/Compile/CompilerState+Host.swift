import NetTypes
import PolicyAPI
public import PolicyIR

/// The node itself as a subject: CiliumClusterwideNetworkPolicy with `nodeSelector` (docs/spec/cilium-network-policy.md 16).
extension CompilerState {
    /// The subject's key. No class of pods has it: theirs begin with a namespace.
    public static let hostSubjectKey = "node"

    /// The key of the subject with the policies that the node goes back to.
    public static let formerHostSubjectKey = "node, former"

    /// Under which the policy book has those.
    static let formerHostPolicies = ClusterObject.Key(kind: "former host policies", namespace: "", name: "")

    /// Compiles the node's own policies from now on.
    public mutating func compileHost() {
        guard hostSubject == nil else { return }
        hostSubject = addHost(CompilerState.hostSubjectKey, slots.applying(toNode: hostLabels))
        compiled.compileWaiting(in: &index)
        _ = compiled.takeChanges()
        observe()
    }

    /// Compiles other policies for the node beside its own: those that were confirmed last, to which it goes back when a change of them
    /// is not. They see the same remote ends as all others for as long as they are kept. `nil`: none. Without effect where the node's
    /// own are not compiled.
    public mutating func setFormerHost(_ policies: [LoweredPolicy]?) {
        guard hostSubject != nil, hasFormerHost || policies != nil else { return }
        if let policies, hasFormerHost, book.policies(of: CompilerState.formerHostPolicies) == policies { return }
        book.set(policies ?? [], for: CompilerState.formerHostPolicies)
        hasFormerHost = policies != nil
        _ = apply([])
    }

    /// The policies that select the node now, lowered, in the order of their origins.
    public var hostPolicies: [LoweredPolicy] {
        hostSubject.flatMap { subjects[$0]?.applying.map { slots.policies[$0] } } ?? []
    }

    /// Makes the node a subject. Returns its number.
    private mutating func addHost(_ key: String, _ applying: [Int]) -> Int {
        // A pod without a name and labels stands for the node: it has no named ports, and no address makes it a remote end.
        let podClass = index.podClass(of: Pod(metadata: ObjectMeta(name: "")))
        let new = subjects.reserveNumber()
        let ingress = use(.ingress, of: podClass, applying, by: new, named: key)
        let egress = use(.egress, of: podClass, applying, by: new, named: key)
        subjects.add(
            SubjectTable.Subject(
                key: key, podClass: podClass, namespace: "", applying: applying, ingress: ingress, egress: egress,
                pods: 1),
            as: new)
        return new
    }

    /// Whether policies select this node that are not compiled, because nobody enforces them.
    public var hasIdleHostPolicies: Bool { hostSubject == nil && !slots.applying(toNode: hostLabels).isEmpty }

    /// Finds out which policies select the node now, and which it goes back to.
    mutating func reselectHost(_ batch: inout Batch) {
        if let hostSubject { reselectHost(hostSubject, slots.applying(toNode: hostLabels), &batch) }
        switch (formerHostSubject, hasFormerHost) {
        case (let number?, true):
            reselectHost(number, slots.formerHostPolicies, &batch)
        case (nil, true):
            let new = addHost(CompilerState.formerHostSubjectKey, slots.formerHostPolicies)
            formerHostSubject = new
            batch.moved += Direction.allCases.map { (new, $0, nil) }
        case (let number?, false):
            formerHostSubject = nil
            guard let subject = subjects[number] else { return }
            subjects.remove(number)
            allocator.columns.forget(subject.key)
            for direction in Direction.allCases { compiled.release(subject[direction], by: number, in: &index) }
        case (nil, false): break
        }
    }

    private mutating func reselectHost(_ number: Int, _ applying: [Int], _ batch: inout Batch) {
        guard let subject = subjects[number] else { return }
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
    public var hostFingerprint: UInt64 { fingerprint(ofHost: hostSubject) }

    /// As `NodeImage.formerHostFingerprint`.
    var formerHostFingerprint: UInt64 { fingerprint(ofHost: formerHostSubject) }

    private func fingerprint(ofHost subject: Int?) -> UInt64 {
        guard let number = subject, let subject = subjects[number] else { return 0 }
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
