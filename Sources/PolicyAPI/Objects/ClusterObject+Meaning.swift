extension ClusterObject {
    /// Whether two objects say the same to policies, wherever they are written and whatever else they have: of a Service its labels and
    /// selector count, of an EndpointSlice its Service and addresses. Namespaces, pods and nodes say the same only if they are equal.
    public func means(_ other: ClusterObject) -> Bool { self == other || meaning == other.meaning }

    /// The object without the places of its parts, and without metadata that no rule depends on.
    private var meaning: ClusterObject {
        switch self {
        case .namespace, .pod, .node: return self
        case .service(let service):
            return .service(
                Service(metadata: service.metadata.referred, selector: service.selector))
        case .endpointSlice(let slice):
            return .endpointSlice(
                EndpointSlice(
                    metadata: slice.metadata.key, serviceName: slice.serviceName,
                    addresses: Set(slice.addresses).sorted()))
        case .cidrGroup(var group):
            group.metadata = group.metadata.referred
            return .cidrGroup(group)
        case .networkPolicy(var policy):
            policy.metadata = policy.metadata.key
            policy.podSelector = policy.podSelector.unplaced
            policy.ingress = policy.ingress.map(\.unplaced)
            policy.egress = policy.egress.map(\.unplaced)
            return .networkPolicy(policy)
        case .clusterPolicy(var policy):
            policy.metadata = policy.metadata.key
            policy.subject = policy.subject.unplaced
            policy.ingress = policy.ingress.map(\.unplaced)
            policy.egress = policy.egress.map(\.unplaced)
            return .clusterPolicy(policy)
        case .ciliumPolicy(var policy):
            policy.metadata = policy.metadata.key
            policy.rules = policy.rules.map(\.unplaced)
            return .ciliumPolicy(policy)
        }
    }
}

extension ObjectMeta {
    fileprivate var key: ObjectMeta { ObjectMeta(name: name, namespace: namespace) }

    /// What references of policies select by.
    fileprivate var referred: ObjectMeta { ObjectMeta(name: name, namespace: namespace, labels: labels) }
}

extension LabelSelector {
    fileprivate var unplaced: LabelSelector {
        LabelSelector(
            requirements.map { requirement in
                var requirement = requirement
                requirement.location = nil
                return requirement
            })
    }
}

extension PodSelection {
    fileprivate var unplaced: PodSelection { PodSelection(namespaces: namespaces.unplaced, pods: pods.unplaced) }
}

extension NetworkPolicyRule {
    fileprivate var unplaced: NetworkPolicyRule {
        var rule = self
        rule.location = nil
        rule.peers = peers.map { peer in
            switch peer {
            case .pods(let namespaces, let pods): .pods(namespaces: namespaces?.unplaced, pods: pods?.unplaced)
            case .ipBlock: peer
            }
        }
        return rule
    }
}

extension ClusterPolicyRule {
    fileprivate var unplaced: ClusterPolicyRule {
        var rule = self
        rule.location = nil
        rule.peers = peers.map { peer in
            switch peer {
            case .pods(let selection): .pods(selection.unplaced)
            case .nodes(let selector): .nodes(selector.unplaced)
            case .networks, .names: peer
            }
        }
        return rule
    }
}

extension CiliumRule {
    fileprivate var unplaced: CiliumRule {
        var rule = self
        rule.location = nil
        switch subject {
        case .endpoints(let selector): rule.subject = .endpoints(selector.unplaced)
        case .nodes(let selector): rule.subject = .nodes(selector.unplaced)
        }
        rule.ingress = ingress.map(\.unplaced)
        rule.ingressDeny = ingressDeny.map(\.unplaced)
        rule.egress = egress.map(\.unplaced)
        rule.egressDeny = egressDeny.map(\.unplaced)
        return rule
    }
}

extension CiliumElement {
    fileprivate var unplaced: CiliumElement {
        var element = self
        element.location = nil
        element.endpoints = endpoints.mapEach(\.unplaced)
        element.nodes = nodes.mapEach(\.unplaced)
        element.cidrSet = cidrSet.mapEach { rule in
            guard case .groups(let selector) = rule.source else { return rule }
            return CIDRRule(source: .groups(selector.unplaced), except: rule.except)
        }
        element.services = services.mapEach { reference in
            guard case .selected(let selector, let namespace) = reference else { return reference }
            return .selected(selector.unplaced, namespace: namespace)
        }
        element.toPorts = toPorts.mapEach(\.unplaced)
        return element
    }
}

extension PortRule {
    fileprivate var unplaced: PortRule {
        var rule = self
        rule.location = nil
        rule.serverNames = serverNames.map { Located($0.value) }
        rule.http = http.mapEach { Located($0.value) }
        rule.dns = dns.mapEach { Located($0.value) }
        return rule
    }
}

extension Presence {
    fileprivate func mapEach<Item>(_ convert: (Item) -> Item) -> Presence where Value == [Item] {
        guard case .some(let items) = self else { return self }
        return .some(items.map(convert))
    }
}
