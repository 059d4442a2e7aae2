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
    /// The node's addresses.
    public var nodeAddresses: [IPAddress] = []
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
    /// The objects as the lab has them: every pod on its node, every pod and the node with addresses.
    public var objects: ClusterObjects
    /// Name of the lab's node.
    public var nodeName: String
    /// Whether the manifests as they are say where every pod is: all have addresses and are on the lab's node. An agent
    /// that reads the same manifests then finds the same pods.
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
        nodeName = ClusterView(objects).localNode
        self.objects = objects
        evaluator = ReferenceEvaluator(objects, policies: [], localNode: nodeName)
        settle()
        evaluator = ReferenceEvaluator(
            self.objects, policies: isEnforced ? policies : [], localNode: nodeName,
            serviceSettings: settings)
        let ports = PortSurvey(pods: self.objects.pods, policies: policies)
        let taken = Set(nodeAddresses + pods.flatMap(\.ipAddresses))
        let survey = OutsideSurvey(
            policies: policies,
            names: Set(objects.names.values.flatMap(\.self)).union(LabPlan.outsideEndpoints(evaluator)).sorted(),
            nodes: self.objects.nodes.filter { $0.metadata.name != nodeName }
                .flatMap { node in node.addresses.map { (node.metadata.name, $0) } },
            taken: taken)
        traffic = ports.traffic
        outside = survey.addresses
        notes += ports.notes + survey.notes
        let requests = RequestSurvey(pods: self.objects.pods, policies: policies)
        let nameSurvey = NameSurvey(policies: policies, taken: taken.union(outside.map(\.address)))
        waitingPorts = requests.waiting
        needsProxy = isEnforced && !requests.http.isEmpty
        names = nameSurvey.names
        notes += requests.notes + nameSurvey.notes
        flows = exchanges()
        defer { requestFlows = attempts(requests) }
        guard settings.mode != .off, isEnforced || isBesideKubeProxy,
            settings.mode == .translate || isBesideKubeProxy
        else { return }
        let owners = namesByAddress
        frontends = LabPlan.frontends(evaluator, names: owners, nodeName: nodeName, notes: &notes)
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

    /// Brings all pods to the lab's node and gives addresses to those without.
    private mutating func settle() {
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
            if !["", nodeName].contains(objects.pods[index].nodeName) { isAsWritten = false }
            objects.pods[index].nodeName = nodeName
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
                    addresses: objects.pods[index].addresses.map(\.description)))
        }
        settleNode(&addressing, owners: owners)
    }

    private mutating func settleNode(_ addressing: inout SyntheticAddresses, owners: [IPAddress: String]) {
        if !objects.nodes.contains(where: { $0.metadata.name == nodeName }) {
            objects.nodes.append(Node(metadata: ObjectMeta(name: nodeName), addresses: []))
        }
        for index in objects.nodes.indices where objects.nodes[index].metadata.name == nodeName {
            for isIPv4 in [true, false] {
                let own = objects.nodes[index].addresses.first { $0.isIPv4 == isIPv4 && owners[$0] == nil }
                guard let address = own ?? addressing.node(isIPv4: isIPv4) else { continue }
                if own == nil { objects.nodes[index].addresses.append(address) }
                nodeAddresses.append(address)
            }
            return
        }
    }

    /// The addresses of an end.
    public func addresses(of end: LabEnd) -> [IPAddress] {
        switch end {
        case .pod(let index): pods[index].ipAddresses
        case .node: nodeAddresses
        case .outside(let index): [outside[index].address]
        }
    }

    /// The name of an end: `shop/web`, `node-1 (host)`, `203.0.113.7`.
    public func name(of end: LabEnd) -> String {
        switch end {
        case .pod(let index): pods[index].qualifiedName
        case .node: "host"
        case .outside(let index): outside[index].address.description
        }
    }

    /// Every end: pods, the node, the outside.
    public var ends: [LabEnd] {
        pods.indices.map(LabEnd.pod) + [.node] + outside.indices.map(LabEnd.outside)
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
            from: flowEnd(from), to: flowEnd(to), protocol: traffic.wireProtocol(isIPv4: isIPv4),
            port: traffic.policyPort(isIPv4: isIPv4), isIPv4: isIPv4)
    }

    func flowEnd(_ end: LabEnd) -> FlowEnd {
        switch end {
        case .pod(let index): .pod(namespace: pods[index].namespace, name: pods[index].name)
        case .node: .host
        case .outside(let index): .address(outside[index].address)
        }
    }
}
