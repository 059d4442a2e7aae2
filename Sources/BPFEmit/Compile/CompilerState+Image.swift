public import NetTypes
public import PolicyAPI
public import PolicyIR

/// The state as a value to load or to print.
extension CompilerState {
    /// The node's image. O(local pods and subjects): its lists are those of the state, shared until the state changes.
    public var image: NodeImage {
        var images: [SubjectImage] = []
        images.reserveCapacity(subjects.order.count)
        // A closure that captures `self` would copy it.
        for number in subjects.order {
            if let subject = subjects[number] { images.append(image(subject)) }
        }
        var image = NodeImage(
            identities: observed.adding(to: identities), addresses: observed.adding(to: addresses), prefixes: prefixes,
            subjects: images, endpoints: (hostEndpoint.map { [$0] } ?? []) + endpoints, services: services.frontends,
            answers: names)
        image.hostFingerprint = hostFingerprint
        image.formerHostFingerprint = formerHostFingerprint
        return image
    }

    /// The image of one subject, `nil` if no local pod is of it.
    public func subject(_ key: String) -> SubjectImage? { subject(of: key).map(image) }

    /// What applies to a subject in one direction: its rules and who isolates it; `nil` if there is no such subject.
    public func policy(of subject: String, _ direction: Direction) -> SubjectPolicy? {
        self.subject(of: subject).map { compiled.policies[$0[direction]].policy }
    }

    /// The image of a compiled policy, with what Services add to it.
    func effective(_ policy: Int) -> PolicyImage { observed.images[policy] ?? compiled.image(policy) }

    /// The identity of an address inside the cluster, with `NP_IDENTITY_WORLD_TOO` where the node answers beside others; `nil`
    /// for one that nobody there claims.
    public func identity(of address: IPAddress) -> UInt32? {
        if let remote = claims.remote(at: address) {
            return remote < 0 ? ReservedIdentity.unknown.rawValue : index.number(of: remote)
        }
        return index.nodeRemote(at: address).map { index.number(of: $0) } ?? sharedIdentity(of: address)
    }

    /// The marked identity of an address at which the node answers beside others.
    private func sharedIdentity(of address: IPAddress) -> UInt32? {
        guard sharedAddresses.contains(address), let node = index.localNodeNumber else { return nil }
        // What programs assume anyway needs no entry.
        if address == SharedAddresses.unspecified, node == ReservedIdentity.host.rawValue { return nil }
        return node | SharedAddresses.mark
    }

    /// The identity of a pod at one of its addresses, or without one; `nil` for a pod that has none.
    public mutating func identity(ofPod namespace: String, _ name: String, at address: IPAddress? = nil) -> UInt32? {
        guard let number = pods.number(of: name, in: namespace), let pod = pods.pod(number),
            let podClass = pods.podClass(number)
        else { return nil }
        if let address { return identity(of: address) }
        if let first = pod.addresses.first { return identity(of: first) }
        return index.number(of: index.remote(of: podClass, at: nil))
    }

    /// What lowering found in policies that are objects, what could not be compiled as written, and what belongs to nobody.
    public var diagnostics: [Diagnostic] {
        (book.diagnostics + contested + failures + leftOut + services.diagnostics
            + observed.diagnostics).sorted()
    }

    /// What lowering found in one policy, the object of this key.
    public func diagnostics(of key: ClusterObject.Key) -> [Diagnostic] { book.diagnostics(of: key) }

    /// The policies that are closed because there is no room for their prefixes, and what is in force in their places.
    public var withoutRoom: [ClusterObject.Key: LoweredPolicies] { book.withoutRoom }

    /// The policies that are not in force as written, and why.
    public var notAsWritten: [ClusterObject.Key: [Diagnostic]] {
        var found = book.errors
        for rule in leftOutRules {
            found[ClusterObject.Key(rule.origin), default: []].append(CompilerState.leftOut(rule))
        }
        return found
    }

    /// What is not in force as written of the policies of some local pods because it does not fit: those of `diagnostics` that are about
    /// them. `pods` are qualified names.
    public func omissions(ofPods pods: Set<String>) -> [Diagnostic] {
        let keys = Set(endpoints.lazy.filter { pods.contains("\($0.namespace)/\($0.name)") }.map(\.subject))
        var rules: Set<LeftOutRule> = []
        var found: [Diagnostic] = []
        for subject in subjects.order.lazy.compactMap({ subjects[$0] }) where keys.contains(subject.key) {
            rules.formUnion(leftOutRules(of: subject))
            found += Direction.allCases.compactMap { failure(of: subject[$0], subject.key) }
        }
        return (found + rules.map(CompilerState.leftOut)).sorted()
    }

    private var contested: [Diagnostic] {
        claims.contested.map { address in
            let names = claims.claimants(of: address).compactMap(pods.qualifiedName).sorted().map { "pod \($0)" }
            let claimants = names + (index.nodeRemote(at: address) == nil ? [] : ["a node"])
            return Diagnostic(
                id: .contestedAddress, severity: .warning, location: nil,
                message:
                    "\(address) is claimed by \(claimants.joined(separator: " and ")); it belongs to none of them, "
                    + "no rule that names pods or addresses allows it",
                hint: "delete or restart the pods that do not own it")
        }
    }

    private var failures: [Diagnostic] {
        compiled.failures.keys.flatMap { number in keys(of: number).compactMap { failure(of: number, $0) } }
    }

    /// Why a subject's policy allows nothing, where it does not fit the limits.
    private func failure(of policy: Int, _ subject: String) -> Diagnostic? {
        compiled.failures[policy].map { error in
            Diagnostic(
                id: .tooMany, location: nil,
                message: "\(compiled.policies[policy].direction) of \(subject): \(error); everything is denied",
                hint: "select fewer policies for these pods")
        }
    }

    private var leftOut: [Diagnostic] { leftOutRules.map(CompilerState.leftOut) }

    private var leftOutRules: Set<LeftOutRule> {
        var found: Set<LeftOutRule> = []
        for number in subjects.order {
            guard let subject = subjects[number] else { continue }
            found.formUnion(leftOutRules(of: subject))
        }
        return found
    }

    private func leftOutRules(of subject: SubjectTable.Subject) -> [LeftOutRule] {
        Direction.allCases.flatMap { effective(subject[$0]).leftOut }
    }

    private static func leftOut(_ rule: LeftOutRule) -> Diagnostic {
        Diagnostic(
            id: .tooMany, location: rule.origin.location, message: "\(rule.origin): \(rule)",
            hint: "select fewer policies for these pods, or put several names into one list")
    }

    /// The keys of the subjects that have a compiled policy, sorted.
    func keys(of policy: Int) -> [String] {
        compiled.policies[policy].subjects.compactMap { subjects[$0]?.key }.sorted()
    }

    private func subject(of key: String) -> SubjectTable.Subject? {
        subjects.order.lazy.compactMap { subjects[$0] }.first { $0.key == key }
    }

    private func image(_ subject: SubjectTable.Subject) -> SubjectImage {
        SubjectImage(
            key: subject.key, ingress: effective(subject.ingress), egress: effective(subject.egress))
    }
}
