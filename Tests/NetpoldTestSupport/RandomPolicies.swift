import NetTypes
public import PolicyAPI
public import PolicyIR

/// Random policies over the names of `RandomCluster`.
public struct RandomPolicies: Sendable {
    var random: SplitMix64

    /// A source of policies.
    public init(random: SplitMix64) { self.random = random }

    static let prefixes: [IPPrefix] = [
        "0.0.0.0/0", "10.0.0.0/8", "10.0.0.0/16", "10.0.1.0/24", "10.0.1.4/30", "10.0.0.1/32", "192.168.0.0/24",
        "192.168.0.128/25", "192.168.0.2/32", "1.0.0.0/8", "1.1.1.0/24", "1.1.1.1/32", "5.5.5.5/32",
        "::/0", "fd00::/8", "fd00:10::/32", "fd00:10::1:0/112", "2600::/12", "2600::1/128",
    ].compactMap { IPPrefix(parsing: $0) }

    /// A NetworkPolicy.
    public mutating func networkPolicy(_ number: Int) -> NetworkPolicy {
        let types: Set<Direction> = random.pick([[.ingress], [.egress], [.ingress, .egress], []])
        return NetworkPolicy(
            metadata: ObjectMeta(name: "np\(number)", namespace: random.pick(RandomCluster.namespaces)),
            podSelector: random.once(in: 3) ? LabelSelector() : selector(), policyTypes: types,
            ingress: networkRules("ingress"), egress: networkRules("egress"))
    }

    private mutating func networkRules(_ direction: String) -> [NetworkPolicyRule] {
        (0..<random.below(4)).map { number in
            NetworkPolicyRule(
                peers: random.once(in: 5) ? [] : (0...random.below(3)).map { _ in networkPeer() },
                ports: random.once(in: 3) ? [] : (0...random.below(3)).map { _ in networkPort() },
                path: "spec.\(direction)[\(number)]")
        }
    }

    private mutating func networkPeer() -> NetworkPolicyPeer {
        switch random.below(6) {
        case 0, 1: .pods(namespaces: nil, pods: selector())
        case 2: .pods(namespaces: namespaceSelector(), pods: nil)
        case 3: .pods(namespaces: namespaceSelector(), pods: selector())
        default: block()
        }
    }

    private mutating func block() -> NetworkPolicyPeer {
        let prefix = random.pick(RandomPolicies.prefixes)
        return .ipBlock(cidr: prefix, except: exceptions(of: prefix))
    }

    private mutating func exceptions(of prefix: IPPrefix) -> [IPPrefix] {
        random.some(RandomPolicies.prefixes.filter { $0 != prefix && prefix.contains($0) }, upTo: 2)
    }

    private mutating func networkPort() -> NetworkPolicyPort {
        let proto = random.pick([L4Protocol.tcp, .tcp, .udp, .sctp])
        switch random.below(4) {
        case 0: return NetworkPolicyPort(protocol: proto, port: .all)
        case 1: return NetworkPolicyPort(protocol: proto, port: .named(random.pick(["http", "dns", "none"])))
        default: return NetworkPolicyPort(protocol: proto, port: .range(range()))
        }
    }

    mutating func range() -> PortRange {
        let first: UInt16 = random.pick([53, 79, 80, 443, 8080, 1])
        return random.once(in: 2) ? PortRange(first) : PortRange(first, random.pick([first + 1, 8080, 65535]))
    }

    mutating func selector() -> LabelSelector {
        let keys = ["app", "tier", "app.kubernetes.io/name", "pod-template-hash", "missing"]
        return LabelSelector(
            (0...random.below(2)).map { _ in requirement("any", random.pick(keys), ["a", "b", "1", "77"]) })
    }

    mutating func namespaceSelector() -> LabelSelector {
        switch random.below(3) {
        case 0: LabelSelector()
        case 1: LabelSelector([requirement("any", "team", ["x", "y"])])
        default:
            LabelSelector([requirement("any", "kubernetes.io/metadata.name", RandomCluster.namespaces)])
        }
    }

    private mutating func requirement(_ source: String, _ key: String, _ values: [String]) -> LabelRequirement {
        let op: LabelRequirement.Operator = random.pick([.isIn, .isIn, .isIn, .notIn, .exists, .doesNotExist])
        let needsValues = op == .isIn || op == .notIn
        return LabelRequirement(
            source: source, key: key, operator: op,
            values: needsValues ? [random.pick(values)] + random.some(values, upTo: 1) : [])
    }

    /// A CiliumNetworkPolicy or CiliumClusterwideNetworkPolicy.
    public mutating func ciliumPolicy(_ number: Int) -> CiliumPolicy {
        let isClusterwide = random.once(in: 3)
        let path = "spec"
        var rule = CiliumRule(subject: .endpoints(ciliumSelector()), path: path)
        rule.ingress = elements("ingress", isEgress: false)
        rule.egress = elements("egress", isEgress: true)
        if random.once(in: 3) { rule.ingressDeny = elements("ingressDeny", isEgress: false, isDeny: true) }
        if random.once(in: 3) { rule.egressDeny = elements("egressDeny", isEgress: true, isDeny: true) }
        if random.once(in: 4) { rule.defaultDenyIngress = random.once(in: 2) }
        if random.once(in: 4) { rule.defaultDenyEgress = random.once(in: 2) }
        return CiliumPolicy(
            metadata: ObjectMeta(
                name: "cnp\(number)", namespace: isClusterwide ? "" : random.pick(RandomCluster.namespaces)),
            isClusterwide: isClusterwide, rules: [rule])
    }

    /// A CiliumClusterwideNetworkPolicy for nodes. Names and L7 rules are refused there.
    public mutating func hostPolicy(_ number: Int) -> CiliumPolicy {
        var policy = ciliumPolicy(number)
        policy.metadata = ObjectMeta(name: "host\(number)")
        policy.isClusterwide = true
        for index in policy.rules.indices {
            policy.rules[index].subject = .nodes(random.once(in: 2) ? LabelSelector() : nodeSelector())
            policy.rules[index].ingress = policy.rules[index].ingress.map(RandomPolicies.withoutNames)
            policy.rules[index].egress = policy.rules[index].egress.map(RandomPolicies.withoutNames)
        }
        return policy
    }

    private static func withoutNames(_ element: CiliumElement) -> CiliumElement {
        var element = element
        element.fqdns = .absent
        guard case .some(var ports) = element.toPorts else { return element }
        for index in ports.indices {
            ports[index].dns = .absent
            ports[index].http = .absent
            ports[index].serverNames = []
        }
        element.toPorts = .some(ports)
        return element
    }

    private mutating func ciliumSelector() -> LabelSelector {
        switch random.below(6) {
        case 0: return LabelSelector()
        case 1:
            return LabelSelector([
                requirement("k8s", "io.kubernetes.pod.namespace", RandomCluster.namespaces),
                requirement("any", "app", ["a", "b"]),
            ])
        case 2: return LabelSelector([requirement("k8s", "io.cilium.k8s.namespace.labels.team", ["x", "y"])])
        case 3:
            let keys = ["host", "remote-node", "world", "world-ipv4", "kube-apiserver", "init"]
            let reserved = requirement("reserved", random.pick(keys), [""])
            if random.once(in: 2) { return LabelSelector([reserved]) }
            // Other nodes have these labels.
            return LabelSelector([
                reserved, requirement(random.pick(["any", "node"]), random.pick(["zone", "app"]), ["a", "b"]),
            ])
        case 4: return LabelSelector([requirement("any", "io.cilium.k8s.policy.serviceaccount", ["ci", "default"])])
        default: return selector()
        }
    }

    private mutating func cidrRule() -> CIDRRule {
        let prefix = random.pick(RandomPolicies.prefixes)
        let except = exceptions(of: prefix)
        return switch random.below(6) {
        case 0, 1:
            CIDRRule(
                source: .group(random.pick(["office", "partners", "office", "partners", "nobody", "missing"])),
                except: except)
        case 2:
            CIDRRule(source: .groups(LabelSelector([requirement("cidrgroup", "team", ["x", "y"])])), except: except)
        default: CIDRRule(source: .prefix(prefix), except: except)
        }
    }

    private mutating func service() -> ServiceReference {
        switch random.below(4) {
        case 0: .selected(LabelSelector([requirement("any", "team", ["x", "y"])]), namespace: "")
        case 1: .named(name: "inside", namespace: random.pick(["alpha", ""]))
        default: .named(name: random.pick(["outside", "outside", "missing"]), namespace: "beta")
        }
    }

    mutating func nodeSelector() -> LabelSelector {
        if random.once(in: 5) { return LabelSelector() }
        let source = random.pick(["any", "any", "node", "k8s", "reserved"])
        let key = random.pick(
            source == "reserved" ? ["kube-apiserver", "remote-node", "host"] : ["zone", "app", "missing"])
        return LabelSelector([requirement(source, key, source == "reserved" ? [""] : ["a", "b"])])
    }

    private mutating func elements(_ member: String, isEgress: Bool, isDeny: Bool = false) -> [CiliumElement] {
        (0..<random.below(3)).map { number in
            var element = CiliumElement(path: "spec.\(member)[\(number)]")
            switch random.below(isEgress && !isDeny ? 12 : 8) {
            case 0:
                element.endpoints =
                    random.once(in: 6) ? .empty : .some((0...random.below(2)).map { _ in ciliumSelector() })
            case 1: element.entities = .some((0...random.below(2)).map { _ in random.pick(Entity.allCases) })
            case 2: element.cidrs = .some([random.pick(RandomPolicies.prefixes)])
            case 3, 4: element.cidrSet = .some((0...random.below(2)).map { _ in cidrRule() })
            case 5: element.endpoints = .some([ciliumSelector()])
            case 6: break
            case 7: element.nodes = .some((0...random.below(2)).map { _ in nodeSelector() })
            case 8: element.services = .some([service()])
            default:
                element.fqdns = .some([
                    random.pick([
                        .name("api.example.com"), .pattern("*.example.com"), .pattern("*"), .name("none.example"),
                    ])
                ])
            }
            switch random.below(4) {
            case 0: break
            case 1:
                element.icmps = .some([
                    ICMPField(protocol: .icmp, type: random.pick([8, 3])), ICMPField(protocol: .icmpv6, type: 128),
                ])
            default:
                element.toPorts = .some(
                    (0...random.below(2)).map { index in
                        portRule("spec.\(member)[\(number)].toPorts[\(index)]", isDeny: isDeny)
                    })
            }
            return element
        }
    }

    private mutating func portRule(_ path: String, isDeny: Bool) -> PortRule {
        let isL7 = !isDeny && random.once(in: 2)
        let ports = (0...random.below(2)).map { _ in
            PortProtocol(
                protocols: isL7 ? [.tcp] : random.pick([[.tcp], [.udp], [.tcp, .udp, .sctp]]),
                port: random.pick([.all, .range(range()), .range(range()), .named(random.pick(["http", "dns"]))]))
        }
        var rule = PortRule(ports: ports, path: path)
        guard isL7 else { return rule }
        switch random.below(4) {
        case 0: rule.dns = .some([Located(FQDNSelector.pattern("*.example.com"))])
        case 1: rule.serverNames = [Located("www.example.com")]
        default: rule.http = .some([Located(HTTPRule(method: random.pick(["GET", "POST"])))])
        }
        return rule
    }

    /// A policy of any tier, priority and action, straight in the IR.
    public mutating func lowered(_ number: Int) -> LoweredPolicy {
        let tier = random.pick([Tier.admin, .admin, .baseline, .normal])
        let origin = RuleOrigin(kind: "Extra", namespace: "", name: "x\(number)", path: "")
        let subject: PolicySubject =
            random.once(in: 2)
            ? .pods(namespaceScope(), selector())
            : .endpoints(ciliumSelector())
        func rules(_ direction: Direction) -> DirectionRules? {
            if random.once(in: 4) { return nil }
            return DirectionRules(
                isolates: tier == .normal && random.once(in: 2),
                rules: (0..<(1 + random.below(4))).map { index in
                    var place = origin
                    place.path = "spec.\(direction)[\(index)]"
                    return PolicyRule(
                        tier: tier, priority: tier == .normal ? 0 : UInt32(random.below(3)),
                        order: tier == .normal ? 0 : UInt32(index), action: random.pick([.deny, .allow, .pass]),
                        peers: peers(), traffic: traffic(), origin: place)
                })
        }
        return LoweredPolicy(subject: subject, ingress: rules(.ingress), egress: rules(.egress), origin: origin)
    }

    private mutating func namespaceScope() -> NamespaceScope {
        random.once(in: 3) ? .matching(namespaceSelector()) : .named(random.pick(RandomCluster.namespaces))
    }

    private mutating func peers() -> PeerMatch {
        if random.once(in: 4) { return .everyone }
        return .anyOf(
            (0..<random.below(4)).map { _ in
                switch random.below(10) {
                case 0, 6: .pods(.named(random.pick(RandomCluster.namespaces)), selector())
                case 1, 7: .pods(.matching(namespaceSelector()), random.once(in: 2) ? LabelSelector() : selector())
                case 2: .endpoints(ciliumSelector())
                case 3: .entity(random.pick(Entity.allCases))
                case 4: .nodes(nodeSelector())
                default: address()
                }
            })
    }

    private mutating func address() -> Peer {
        let prefix = random.pick(RandomPolicies.prefixes)
        return .addresses(
            prefix, except: exceptions(of: prefix), random.once(in: 3) ? .outsideCluster : .everywhere)
    }

    private mutating func traffic() -> TrafficMatch {
        if random.once(in: 3) { return .everything }
        return .anyOf(
            (0..<random.below(4)).map { _ in
                switch random.below(4) {
                case 0: .named(random.pick([.tcp, .udp]), random.pick(["http", "dns"]))
                case 1: .ports(random.pick([.icmp, .icmpv6]), PortRange(random.pick([8, 128, 0])))
                case 2: .ports(random.pick([.tcp, .udp, .sctp]), .all)
                default: .ports(random.pick([.tcp, .udp]), range())
                }
            })
    }
}
