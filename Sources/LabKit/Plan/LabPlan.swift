public import NetTypes
public import PolicyAPI
public import PolicyIR

/// Everything a lab is going to be and to try, worked out beforehand: no root, no clock, the same for the same manifests.
public struct LabPlan: Sendable {
    /// One exchange to be tried.
    public struct Flow: Hashable, Sendable {
        /// Who asks.
        public var from: LabEnd
        /// Who is asked.
        public var to: LabEnd
        /// For what.
        public var traffic: LabTraffic
        /// The address asked from.
        public var source: IPAddress
        /// The address asked.
        public var destination: IPAddress
        /// What should become of it.
        public var prediction: LabPrediction

        /// The family, for output: 4 or 6.
        public var family: Int { source.isIPv4 ? 4 : 6 }
    }

    /// The pods that get a namespace, sorted by namespace and name.
    public var pods: [LabPod] = []
    /// The nodes: first the local one of the manifests, then the others that pods are on, sorted.
    public var nodes: [LabNode] = []
    /// The addresses outside.
    public var outside: [LabOutside] = []
    /// What is asked for, sorted.
    public var traffic: [LabTraffic] = []
    /// Every exchange: by traffic, from, to, family.
    public var flows: [Flow] = []
    /// The addresses of Services that pods try.
    public var frontends: [LabFrontend] = []
    /// Every connection through a Service: by frontend, pod.
    public var serviceFlows: [LabServiceFlow] = []
    /// The names that DNS knows in the lab.
    public var names: [LabName] = []
    /// Everything tried that goes beyond a connection: requests, queries, handshakes, connections by name.
    public var requestFlows: [LabRequestFlow] = []
    /// TCP ports whose servers wait until their client has said something.
    public var waitingPorts: Set<UInt16> = []
    /// Whether policies have HTTP rules, which a proxy decides.
    public var needsProxy = false
    /// The objects as the lab has them: every pod on a node of the lab, every pod and those nodes with addresses.
    public var objects: ClusterObjects
    /// Whether the manifests as they are say where every pod is: all have addresses and are on nodes of the lab. Agents
    /// that read the same manifests then find the same pods.
    public var isAsWritten = true
    /// What of the manifests has no part in the lab, in words.
    public var notes: [String] = []
    var evaluator: ReferenceEvaluator

    /// Plans a lab for these objects and their lowered policies. With `isEnforced` false the policies say only what is
    /// tried; everything is expected to pass. Services are tried where `services` says who translates: the lab's node, or
    /// another component that stands behind it, which `isBesideKubeProxy` gives it.
    public init(
        _ objects: ClusterObjects, policies: [LoweredPolicy], isEnforced: Bool = true,
        services settings: ServiceSettings = ServiceSettings(mode: .translate), isBesideKubeProxy: Bool = false
    ) {
        let localNode = ClusterView(objects).localNode
        self.objects = objects
        evaluator = ReferenceEvaluator(objects, policies: [], localNode: localNode)
        settle(localNode)
        evaluator = ReferenceEvaluator(
            self.objects, policies: isEnforced ? policies : [], localNode: localNode,
            serviceSettings: settings)
        let ports = PortSurvey(pods: self.objects.pods, policies: policies)
        let taken = Set(nodes.flatMap(\.ipAddresses) + pods.flatMap(\.ipAddresses))
        let named = Set(nodes.map(\.name))
        let survey = OutsideSurvey(
            policies: policies,
            names: Set(objects.names.values.flatMap(\.self)).union(LabPlan.outsideEndpoints(evaluator)).sorted(),
            nodes: self.objects.nodes.filter { !named.contains($0.metadata.name) }
                .flatMap { node in node.addresses.map { (node.metadata.name, $0) } },
            taken: taken)
        traffic = ports.traffic
        outside = survey.addresses
        notes += ports.notes + survey.notes
        let requests = RequestSurvey(pods: self.objects.pods, policies: policies)
        let nameSurvey = NameSurvey(policies: policies, taken: taken.union(outside.map(\.address)))
        waitingPorts = requests.waiting
        needsProxy = isEnforced && requests.needsProxy
        names = nameSurvey.names
        notes += requests.notes + nameSurvey.notes
        flows = exchanges()
        defer { requestFlows = attempts(requests) }
        guard settings.mode != .off, isEnforced || isBesideKubeProxy,
            settings.mode == .translate || isBesideKubeProxy
        else { return }
        let owners = namesByAddress
        frontends = LabPlan.frontends(evaluator, names: owners, nodes: nodes.map(\.name), notes: &notes)
        if settings.mode == .observe {
            // kube-proxy puts the node's address in the place of the sender's there.
            let others = frontends.filter { $0.frontend.kind != .clusterIP }
            frontends.removeAll { $0.frontend.kind != .clusterIP }
            if !others.isEmpty {
                notes.append("\(others.count) addresses of Services are not tried: they are no cluster IPs")
            }
        }
        serviceFlows = serviceExchanges(evaluator, names: owners)
    }

    /// A plan of nothing, for those that try what is in no plan.
    static var empty: LabPlan { LabPlan(ClusterObjects(), policies: []) }

    /// Whose name answers at each address.
    private var namesByAddress: [IPAddress: String] {
        var names: [IPAddress: String] = [:]
        for end in ends {
            for address in addresses(of: end) { names[address] = name(of: end) }
        }
        return names
    }

    /// The endpoints of Services that nobody in the cluster has.
    private static func outsideEndpoints(_ evaluator: ReferenceEvaluator) -> [IPAddress] {
        evaluator.services.allFrontends().frontends.flatMap(\.backends).map(\.address).filter {
            evaluator.view.owner(of: $0) == .outside
        }
    }

    /// Why a connection through a Service is predicted to pass or not, in lines.
    public func explain(_ flow: LabServiceFlow) -> [String] {
        (try? explanation(evaluator, flow.from, flow.to))?.decidingLines ?? []
    }

    /// Brings pods of no node, and of nodes that are too many, to the local one; gives addresses to pods and nodes without.
    private mutating func settle(_ localNode: String) {
        let named = Set(objects.pods.filter { !$0.hostNetwork && !$0.isFinished }.map(\.nodeName))
        let others = named.subtracting(["", localNode]).sorted()
        nodes = ([localNode] + others.prefix(LabNode.limit - 1)).map { LabNode(name: $0, addresses: []) }
        if others.count >= LabNode.limit {
            notes.append(
                "pods of \(others.count + 1 - LabNode.limit) nodes are on \(localNode): a lab has \(LabNode.limit) nodes at most"
            )
        }
        objects.addSyntheticAddresses()
        var addressing = SyntheticAddresses(objects)
        var owners: [IPAddress: String] = [:]
        let order = objects.pods.indices.sorted { objects.pods[$0].qualifiedName < objects.pods[$1].qualifiedName }
        for index in order {
            let name = objects.pods[index].qualifiedName
            if objects.pods[index].hostNetwork {
                notes.append("\(name) uses the host's network: the node stands for it")
                continue
            }
            if objects.pods[index].isFinished {
                notes.append("\(name) has finished: it owns no address")
                continue
            }
            if objects.pods[index].isSynthetic { isAsWritten = false }
            let written = objects.pods[index].nodeName
            // An agent takes a pod of no node for its own.
            if written.isEmpty && nodes.count > 1 { isAsWritten = false }
            let node = nodes.firstIndex { $0.name == written } ?? 0
            if !written.isEmpty && nodes[node].name != written { isAsWritten = false }
            objects.pods[index].nodeName = nodes[node].name
            if let other = objects.pods[index].addresses.lazy.compactMap({ owners[$0] }).first {
                notes.append("\(name) has an address of \(other): it gets no namespace")
                continue
            }
            for address in objects.pods[index].addresses { owners[address] = name }
            let metadata = objects.pods[index].metadata
            pods.append(
                LabPod(
                    namespace: metadata.namespace, name: metadata.name,
                    attachment: "\(metadata.namespace)_\(metadata.name)", nodeInterface: "np\(pods.count + 1)",
                    addresses: objects.pods[index].addresses.map(\.description), node: node))
        }
        for number in nodes.indices { settle(node: number, &addressing, owners: owners) }
    }

    private mutating func settle(
        node number: Int, _ addressing: inout SyntheticAddresses, owners: [IPAddress: String]
    ) {
        let name = nodes[number].name
        if !objects.nodes.contains(where: { $0.metadata.name == name }) {
            objects.nodes.append(Node(metadata: ObjectMeta(name: name), addresses: []))
        }
        guard let index = objects.nodes.firstIndex(where: { $0.metadata.name == name }) else { return }
        for isIPv4 in [true, false] {
            let own = objects.nodes[index].addresses.first { $0.isIPv4 == isIPv4 && owners[$0] == nil }
            guard let address = own ?? addressing.node(isIPv4: isIPv4) else { continue }
            if own == nil { objects.nodes[index].addresses.append(address) }
            nodes[number].addresses.append(address.description)
        }
    }

    /// The addresses of an end.
    public func addresses(of end: LabEnd) -> [IPAddress] {
        switch end {
        case .pod(let index): pods[index].ipAddresses
        case .node(let index): nodes[index].ipAddresses
        case .outside(let index): [outside[index].address]
        }
    }

    /// The name of an end: `shop/web`; `host`, where there are several nodes `host/node-1`; `203.0.113.7`.
    public func name(of end: LabEnd) -> String {
        switch end {
        case .pod(let index): pods[index].qualifiedName
        case .node(let index): nodes.count == 1 ? "host" : "host/\(nodes[index].name)"
        case .outside(let index): outside[index].address.description
        }
    }

    /// Every end: pods, the nodes, the outside.
    public var ends: [LabEnd] {
        pods.indices.map(LabEnd.pod) + nodes.indices.map(LabEnd.node) + outside.indices.map(LabEnd.outside)
    }

    /// Why a flow is predicted to pass or not, in lines: the sides that account for it, rules with their places.
    public func explain(_ flow: Flow) -> [String] {
        guard let why = try? evaluator.explain(question(flow.from, flow.to, flow.traffic, isIPv4: flow.family == 4))
        else { return [] }
        return why.decidingLines
    }

    private func exchanges() -> [Flow] {
        var flows: [Flow] = []
        for traffic in traffic {
            for from in ends {
                for to in ends where from != to && (from.isPod || to.isPod) {
                    flows += [true, false].compactMap { exchange(from, to, traffic, isIPv4: $0) }
                }
            }
        }
        return flows
    }

    /// The exchange over one family, `nil` when an end has no address of it.
    private func exchange(_ from: LabEnd, _ to: LabEnd, _ traffic: LabTraffic, isIPv4: Bool) -> Flow? {
        guard let source = addresses(of: from).first(where: { $0.isIPv4 == isIPv4 }),
            let destination = addresses(of: to).first(where: { $0.isIPv4 == isIPv4 }),
            let decision = try? evaluator.decide(question(from, to, traffic, isIPv4: isIPv4))
        else { return nil }
        return Flow(
            from: from, to: to, traffic: traffic, source: source, destination: destination,
            prediction: LabPrediction(decision))
    }

    func question(
        _ from: LabEnd, _ to: LabEnd, _ traffic: LabTraffic, isIPv4: Bool
    ) -> PolicyIR.Flow {
        PolicyIR.Flow(
            from: flowEnd(from, isIPv4: isIPv4), to: flowEnd(to, isIPv4: isIPv4),
            protocol: traffic.wireProtocol(isIPv4: isIPv4),
            port: traffic.policyPort(isIPv4: isIPv4), isIPv4: isIPv4)
    }

    func flowEnd(_ end: LabEnd, isIPv4: Bool) -> FlowEnd {
        switch end {
        case .pod(let index): .pod(namespace: pods[index].namespace, name: pods[index].name)
        // The first is local to the evaluator; to the pods of each it is the evaluator that says which one is their own.
        case .node(let index):
            (index == 0 ? nil : nodes[index].ipAddresses.first { $0.isIPv4 == isIPv4 }).map(FlowEnd.address) ?? .host
        case .outside(let index): .address(outside[index].address)
        }
    }
}
