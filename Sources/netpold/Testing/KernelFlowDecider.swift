import BPFEmit
import Datapath
import NetTypes
import PolicyAPI
import PolicyAnalysis
import PolicyIR
import ProxyRules

/// Decides the flows of tests with the loaded programs. One set of programs serves all tests, one after the other: each
/// brings its own image.
final class KernelFlowDecider: FlowDecider {
    let view: ClusterView
    /// Decides what the programs send to the proxy; `nil`: nobody does.
    let proxy: ProxyTrial?
    private let objects: ClusterObjects
    private let policies: [LoweredPolicy]
    private let names: KnownNames
    private let evaluator: ReferenceEvaluator
    private let kernels: KernelPool
    /// Nodes whose image is in the kernel.
    private var prepared: [String: Prepared] = [:]

    /// The proxy's rules of all images so far.
    var rules: [RuleSnapshot.Policy] = []
    /// Pods that have asked for all names; whether they were let.
    private var taught: [String: Bool] = [:]

    /// The programs of one node.
    struct Prepared {
        /// Its number among the nodes of the test.
        let number: Int
        let kernel: KernelDecider
        /// By namespace and name.
        let pods: [String: EndpointKey]

        /// Its rules for HTTP and DNS as the proxy takes them.
        var rules: [RuleSnapshot.Policy] {
            kernel.policyBits.sorted { $0.key < $1.key }.compactMap { base, bits in
                let rules = bits.enumerated().compactMap { number, bit in
                    RuleSnapshot.Rule(number: UInt32(number), l7: bit.l7, origin: bit.origin)
                }.filter { !$0.http.isEmpty || !$0.dns.isEmpty }
                guard !rules.isEmpty else { return nil }
                return RuleSnapshot.Policy(
                    id: ProxyTrial.Side.policy(image: number, base: base), direction: .ingress, rules: rules)
            }
        }
    }

    /// A decider of the flows of one test.
    init(_ loaded: LoadedTest, kernels: KernelPool) {
        self.view = ClusterView(loaded.objects, localNode: loaded.test.localNode)
        names = KnownNames(loaded.objects.names, policies: loaded.policies)
        var objects = loaded.objects
        // Nothing is compiled in: the pods ask.
        objects.names = [:]
        self.objects = objects
        self.policies = loaded.policies + names.policies
        proxy = kernels.proxy
        self.evaluator = loaded.evaluator
        self.kernels = kernels
        kernels.takeBack()
    }

    /// What both ends say about a flow.
    ///
    /// - Throws: `FlowError` for ends that do not exist, `BPFError` for what the kernel refuses.
    func answer(_ flow: Flow) throws -> FlowAnswer {
        let ends = try view.resolve(flow)
        if let from = ends.from.pod, let to = ends.to.pod, from.qualifiedName == to.qualifiedName {
            // "A pod cannot block access to itself": such packets never leave it.
            return FlowAnswer(egress: .allow, ingress: .allow)
        }
        return FlowAnswer(
            egress: try answer(flow, ends, .egress), ingress: try answer(flow, ends, .ingress))
    }

    private func answer(
        _ flow: Flow, _ ends: ClusterView.Ends, _ direction: Direction
    ) throws -> FlowAnswer.Verdict {
        if let answer = try hostAnswer(flow, ends, direction) { return answer }
        guard let asked = try question(flow, ends, direction) else { return .allow }
        let answer = try asked.prepared.kernel.decide(
            asked.key, direction, remote: asked.remote, isForwarded: ends.from.isMasqueraded, protocol: flow.protocol,
            port: flow.port)
        switch answer.verdict {
        case .allow, .allowRead: return .allow
        case .deny: return .deny
        case .l7: return .l7
        }
    }

    /// What the node's own policies say about a flow at one end; `nil` where that end has none.
    private func hostAnswer(
        _ flow: Flow, _ ends: ClusterView.Ends, _ direction: Direction
    ) throws -> FlowAnswer.Verdict? {
        guard let policy = evaluator.hostPolicy(of: ends, direction), case .node(let name, let known) = ends[direction]
        else { return nil }
        guard policy.rules.allSatisfy({ $0.l7 == nil && !$0.asksForNames }) else {
            throw Undecidable("names in host policies are not enforced, so the kernel cannot be asked")
        }
        let node = name ?? "another-node"
        let other = direction == .egress ? ends.to : ends.from
        let isIPv4 = known?.isIPv4 ?? family(of: other) ?? flow.isIPv4 ?? true
        let own = known ?? SyntheticNode.address(isHost: true, isIPv4: isIPv4)
        let remote = try address(of: other, isIPv4: own.isIPv4, seenFrom: node)
        let answer = try prepare(node).kernel.decideHost(
            own: own, direction, remote: remote, protocol: flow.protocol, port: flow.port)
        switch answer.verdict {
        case .allow, .allowRead: return .allow
        case .deny: return .deny
        case .l7: return .l7
        }
    }

    private func family(of end: ClusterView.Ends.End) -> Bool? {
        switch end {
        case .pod(let pod, let address): (address ?? pod.addresses.first)?.isIPv4
        case .node(_, let address): address?.isIPv4
        case .outside(let address), .masqueraded(let address): address.isIPv4
        }
    }

    /// What the programs of one end are asked about a flow.
    struct Question {
        let prepared: Prepared
        let key: EndpointKey
        let remote: IPAddress
    }

    /// The question to one end; `nil` when no programs are asked there.
    func question(_ flow: Flow, _ ends: ClusterView.Ends, _ direction: Direction) throws -> Question? {
        guard let subject = ends.subject(direction) else { return nil }
        let node = view.node(of: subject)
        let prepared = try prepare(node)
        guard let key = prepared.pods[subject.qualifiedName] else {
            throw Undecidable("\(subject.qualifiedName) has no address, so no packet of it can be sent")
        }
        let remote = try address(of: direction == .egress ? ends.to : ends.from, subject, seenFrom: node)
        if direction == .egress, names.names.values.contains(where: { $0.contains(remote) }) {
            try teach(subject, key, prepared, isIPv4: subject.addresses.first?.isIPv4 ?? true)
        }
        return Question(prepared: prepared, key: key, remote: remote)
    }

    private func teach(_ subject: Pod, _ key: EndpointKey, _ prepared: Prepared, isIPv4: Bool) throws {
        if taught[subject.qualifiedName] == nil {
            let isTaught = try names.teach(key, isIPv4: isIPv4, prepared.kernel)
            // A policy that denies all outranks the one that lets it ask: then it knows the names from before.
            if !isTaught { try prepared.kernel.learn(names.names, key) }
            taught[subject.qualifiedName] = isTaught
        }
    }

    /// The address of packets of an end. Nodes without a known address get a synthetic one.
    private func address(of end: ClusterView.Ends.End, _ subject: Pod, seenFrom node: String) throws -> IPAddress {
        try address(of: end, isIPv4: subject.addresses.first?.isIPv4 ?? true, seenFrom: node)
    }

    private func address(of end: ClusterView.Ends.End, isIPv4 family: Bool, seenFrom node: String) throws -> IPAddress {
        switch end {
        case .pod(let pod, let address):
            guard let address = address ?? pod.addresses.first(where: { $0.isIPv4 == family }) else {
                throw Undecidable("\(pod.qualifiedName) has no address, so no packet of it can be sent")
            }
            return address
        case .node(let name, let address):
            return address ?? SyntheticNode.address(isHost: name == node, isIPv4: family)
        case .outside(let address), .masqueraded(let address):
            return address
        }
    }

    private func prepare(_ node: String) throws -> Prepared {
        if let known = prepared[node] { return known }
        var allocator = IdentityAllocator()
        let hasHostPolicies = policies.contains { if case .nodes = $0.subject { true } else { false } }
        var image = NodeCompiler.compile(
            objects, policies: policies, localNode: node, allocator: &allocator, host: hasHostPolicies)
        image.addresses = (image.addresses + SyntheticNode.entries).sorted { $0.address < $1.address }
        let made = Prepared(
            number: prepared.count, kernel: try kernels.take(image),
            pods: Dictionary(image.endpoints.map { ("\($0.namespace)/\($0.name)", $0.key) }) { first, _ in first })
        prepared[node] = made
        rules += made.rules
        return made
    }

    /// A flow that cannot be made into packets.
    private struct Undecidable: Error, CustomStringConvertible {
        let description: String
        init(_ description: String) { self.description = description }
    }
}

extension PolicyRule {
    /// Whether its peers are names of addresses.
    fileprivate var asksForNames: Bool {
        guard case .anyOf(let peers) = peers else { return false }
        return peers.contains { if case .names = $0 { true } else { false } }
    }
}

/// Addresses for nodes of tests that only name `host` or `remote-node`. No object has them: they are reserved (240.0.0.0/4)
/// or discarded (100::/64).
private enum SyntheticNode {
    static func address(isHost: Bool, isIPv4: Bool) -> IPAddress {
        let number: UInt64 = isHost ? 1 : 2
        return isIPv4 ? IPAddress(ipv4: 0xf000_0000 | UInt32(number)) : IPAddress(high: 0x0100 << 48, low: number)
    }

    static var entries: [AddressEntry] {
        [true, false].flatMap { isHost in
            [true, false].map { isIPv4 in
                AddressEntry(
                    address: address(isHost: isHost, isIPv4: isIPv4),
                    identity: (isHost ? ReservedIdentity.host : .remoteNode).rawValue)
            }
        }
    }
}
