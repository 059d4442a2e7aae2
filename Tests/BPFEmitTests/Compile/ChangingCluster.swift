import BPFEmit
import NetTypes
import NetpoldTestSupport
import PolicyAPI
import PolicyIR

/// A random cluster in which objects of every kind come, go and change: what `CompilerState` is told, and what it must then be.
struct ChangingCluster {
    /// By key.
    private(set) var objects: [ClusterObject.Key: ClusterObject] = [:]
    /// Policies in the place of refused ones.
    private(set) var standIns: [ClusterObject.Key: [LoweredPolicy]] = [:]
    private(set) var names: [String: [IPAddress]]
    private(set) var ownAddresses: [IPAddress]?
    private(set) var ownNetworks: [IPPrefix]
    let localNode: String
    private var policies: RandomPolicies

    init(seed: UInt64) {
        let cluster = RandomCluster(seed: seed)
        localNode = cluster.localNode
        names = cluster.objects.names
        ownNetworks = cluster.objects.localNetworks
        policies = RandomPolicies(random: SplitMix64(seed: seed ^ 0xc4a5))
        for object in ClusterObject.all(of: cluster.objects) { objects[object.key] = object }
        for policy in cluster.extra { standIns[ClusterObject.Key(policy.origin), default: []].append(policy) }
    }

    /// Everything as one value, in random order; the local node has its own addresses.
    func clusterObjects(_ random: inout SplitMix64) -> ClusterObjects {
        var all = ClusterObjects()
        for object in objects.sorted(by: { $0.key < $1.key }).map(\.value).shuffled(using: &random) {
            all.append(object)
        }
        all.names = names
        all.localNetworks = ownNetworks
        return all
    }

    /// Another state of one thing, or none.
    mutating func change(_ random: inout SplitMix64) -> ObjectChange {
        switch random.below(24) {
        case 0: return changeName(&random)
        case 1:
            let addresses = random.some(ChangingCluster.nodeAddresses, upTo: 2)
            ownAddresses = addresses
            return .ownAddresses(addresses)
        case 2: return changeStandIns(&random)
        case 3:
            ownNetworks = random.some(
                RandomCluster.prefixes("192.168.0.0/24", "10.0.0.0/16", "10.0.0.0/30", "fd00:1::/64", "fd00:10::/127"),
                upTo: 3)
            return .ownNetworks(ownNetworks)
        default: break
        }
        let object = another(&random)
        if random.once(in: 3) {
            // One that is there, if there is one of the kind: what was never there changes nothing.
            let known = objects.keys.filter { $0.kind == object.kind }.sorted()
            let key = known.isEmpty ? object.key : random.pick(known)
            objects[key] = nil
            standIns[key] = nil
            return .delete(key)
        }
        objects[object.key] = object
        standIns[object.key] = nil
        return .upsert(object)
    }

    private mutating func another(_ random: inout SplitMix64) -> ClusterObject {
        switch random.below(20) {
        case 0...3: return .pod(pod(&random))
        case 4, 5: return .namespace(namespace(&random))
        case 6, 7: return .node(node(&random))
        case 8: return .service(service(&random))
        case 9, 10: return .endpointSlice(slice(&random))
        case 11, 12: return .cidrGroup(group(&random))
        case 13...15: return .networkPolicy(networkPolicy(&random))
        case 16, 17: return .clusterPolicy(policies.clusterPolicy(random.below(4)))
        default: return .ciliumPolicy(policies.ciliumPolicy(random.below(7)))
        }
    }

    /// A NetworkPolicy, now and then one that needs several words of bits.
    private mutating func networkPolicy(_ random: inout SplitMix64) -> NetworkPolicy {
        var policy = policies.networkPolicy(random.below(6))
        guard random.once(in: 8) else { return policy }
        for number in 0..<70 {
            let more = policies.networkPolicy(number)
            policy.ingress += more.ingress
            policy.egress += more.egress
        }
        for index in policy.ingress.indices { policy.ingress[index].path = "spec.ingress[\(index)]" }
        for index in policy.egress.indices { policy.egress[index].path = "spec.egress[\(index)]" }
        return policy
    }

    private func pod(_ random: inout SplitMix64) -> Pod {
        var pod = RandomCluster.pod(random.below(20), &random)
        pod.isReady = !random.once(in: 4)
        pod.isTerminating = random.once(in: 6)
        if random.once(in: 12) {
            pod.addresses = RandomCluster.addresses(random.pick(["10.0.0.1", "192.168.0.2", "1.1.1.1", "10.0.1.250"]))
        }
        return pod
    }

    private func namespace(_ random: inout SplitMix64) -> Namespace {
        var meta = ObjectMeta(name: random.pick(RandomCluster.namespaces))
        if !random.once(in: 3) { meta.labels["team"] = random.pick(["x", "y"]) }
        return Namespace(metadata: meta)
    }

    private static let nodeAddresses = RandomCluster.addresses(
        "192.168.0.1", "192.168.0.2", "192.168.0.130", "192.168.0.200", "fd00:1::1", "fd00:1::2", "10.0.0.1", "5.5.5.5")

    private func node(_ random: inout SplitMix64) -> Node {
        var meta = ObjectMeta(name: random.pick(["node-1", "node-2", "node-3", "node-0"]))
        if random.once(in: 2) { meta.labels["zone"] = random.pick(["a", "b"]) }
        if random.once(in: 3) { meta.labels["app"] = "a" }
        return Node(metadata: meta, addresses: random.some(ChangingCluster.nodeAddresses, upTo: 3))
    }

    private func service(_ random: inout SplitMix64) -> Service {
        let name = random.pick(["inside", "outside", "missing"])
        var meta = ObjectMeta(name: name, namespace: random.pick(["alpha", "beta"]))
        if random.once(in: 2) { meta.labels["team"] = random.pick(["x", "y"]) }
        let selector = random.once(in: 2) ? ["app": random.pick(["a", "b"])] : [:]
        var service = Service(metadata: meta, selector: selector)
        service.isUnknown = random.once(in: 8)
        guard random.once(in: 2) else { return service }
        service.clusterIPs = random.some(ChangingCluster.clusterIPs, upTo: 2)
        service.ports = [
            ServicePort(
                name: "web", protocol: .tcp, port: 80, target: random.once(in: 2) ? .number(8080) : .named("http"),
                nodePort: 30080)
        ]
        service.kind = random.pick([.clusterIP, .nodePort])
        service.internalPolicy = random.pick([.cluster, .local])
        return service
    }

    /// Few, so that Services claim the same.
    private static let clusterIPs = RandomCluster.addresses("10.96.0.1", "10.96.0.2", "fd00:96::1", "10.0.0.1")

    private func slice(_ random: inout SplitMix64) -> EndpointSlice {
        var slice = knownSlice(&random)
        slice.isUnknown = random.once(in: 8)
        if slice.isUnknown, random.once(in: 2) {
            slice.serviceName = ""
            slice.endpoints = []
        }
        return slice
    }

    private func knownSlice(_ random: inout SplitMix64) -> EndpointSlice {
        if random.once(in: 2) {
            return EndpointSlice(
                metadata: ObjectMeta(name: random.pick(["kubernetes", "kubernetes-6"]), namespace: "default"),
                serviceName: "kubernetes",
                addresses: random.some(ChangingCluster.nodeAddresses + RandomCluster.outside, upTo: 2))
        }
        return EndpointSlice(
            metadata: ObjectMeta(name: random.pick(["outside", "more"]), namespace: "beta"),
            serviceName: random.pick(["outside", "outside", "missing"]),
            endpoints: random.some(RandomCluster.outside, upTo: 3).map {
                ServiceEndpoint(
                    addresses: [$0], isReady: !random.once(in: 3), nodeName: random.pick(["node-1", "node-2", ""]))
            }, ports: random.once(in: 2) ? [EndpointPort(name: "web", protocol: .tcp, port: 8443)] : [])
    }

    private func group(_ random: inout SplitMix64) -> CIDRGroup {
        var meta = ObjectMeta(name: random.pick(["office", "partners", "nobody", "missing"]))
        if random.once(in: 2) { meta.labels["team"] = random.pick(["x", "y"]) }
        return CIDRGroup(metadata: meta, prefixes: random.some(RandomCluster.groupPrefixes, upTo: 3))
    }

    private mutating func changeName(_ random: inout SplitMix64) -> ObjectChange {
        let name = random.pick(["api.example.com", "www.example.com", "db.internal", "new.example.com"])
        let addresses = random.some(RandomCluster.outside + ChangingCluster.nodeAddresses, upTo: 3)
        names[name] = addresses.isEmpty ? nil : addresses
        return .name(name, addresses: addresses)
    }

    /// Policies of any tier, or one that isolates in the place of an object.
    private mutating func changeStandIns(_ random: inout SplitMix64) -> ObjectChange {
        let refusable = objects.filter { $0.value.isPolicy }.keys.sorted()
        let key: ClusterObject.Key
        var list: [LoweredPolicy] = []
        if random.once(in: 3), !refusable.isEmpty {
            key = random.pick(refusable)
            var origin = RuleOrigin(kind: key.kind, namespace: key.namespace, name: key.name, path: "spec")
            origin.isRefused = true
            let closed = DirectionRules(isolates: true, rules: [])
            // Two with one origin: only their order tells them apart.
            list = (0...random.below(2)).map { _ in
                LoweredPolicy(
                    subject: .pods(
                        .named(random.pick(RandomCluster.namespaces)),
                        LabelSelector([
                            LabelRequirement(key: "app", operator: random.pick([.exists, .notIn]), values: ["b"])
                        ])),
                    ingress: closed, egress: random.once(in: 2) ? closed : nil, origin: origin)
            }
        } else {
            let policy = policies.lowered(random.below(7))
            key = ClusterObject.Key(policy.origin)
            if !random.once(in: 4) { list = [policy] }
        }
        objects[key] = nil
        standIns[key] = list.isEmpty ? nil : list
        return .standIns(list, for: key)
    }
}

extension ClusterObject {
    /// All objects of a cluster.
    static func all(of objects: ClusterObjects) -> [ClusterObject] {
        objects.namespaces.map(ClusterObject.namespace) + objects.pods.map(ClusterObject.pod)
            + objects.nodes.map(ClusterObject.node) + objects.services.map(ClusterObject.service)
            + objects.endpointSlices.map(ClusterObject.endpointSlice) + objects.cidrGroups.map(ClusterObject.cidrGroup)
            + objects.networkPolicies.map(ClusterObject.networkPolicy)
            + objects.clusterPolicies.map(ClusterObject.clusterPolicy)
            + objects.ciliumPolicies.map(ClusterObject.ciliumPolicy)
    }

    /// Whether it is a policy.
    var isPolicy: Bool {
        switch self {
        case .networkPolicy, .clusterPolicy, .ciliumPolicy: true
        case .namespace, .pod, .node, .service, .endpointSlice, .cidrGroup: false
        }
    }
}
