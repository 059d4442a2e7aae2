public import NetTypes
public import PolicyAPI
public import PolicyIR

/// A random small cluster and random policies over it: as many corners in as few objects as possible.
public struct RandomCluster: Sendable {
    /// The objects, API policies included.
    public var objects: ClusterObjects
    /// Policies that no API object of this version can say: other tiers, priorities, pass.
    public var extra: [LoweredPolicy]
    /// Policies for nodes, which are not among the objects.
    public var hostPolicies: [CiliumPolicy]
    /// The node that is compiled.
    public let localNode = "node-1"

    /// Namespaces: the last one is declared by nobody.
    public static let namespaces = ["alpha", "beta", "gamma"]
    /// Addresses that nobody in the cluster owns, the ones that names have among them.
    public static let outside: [IPAddress] = [
        "1.1.1.1", "1.1.1.2", "1.2.3.4", "8.8.8.8", "10.0.1.250", "10.9.9.9", "5.5.5.5", "192.168.0.200",
        "2600::1", "2600::2", "fd00:10::ffff", "2001:db8::1",
        // The local node answers too: at its networks' broadcast and anycast addresses and in groups.
        "192.168.0.255", "10.0.3.255", "fd00:1::", "255.255.255.255", "224.0.0.251", "ff02::fb", "ff01::1",
        "224.0.1.1", "ff05::2",
        // Others' networks.
        "10.0.4.255",
        // Of the link: nobody's.
        "fe80::9",
    ].compactMap { IPAddress(parsing: $0) }

    /// The prefixes of CIDR groups, none of which a policy writes itself.
    public static let groupPrefixes = prefixes(
        "1.1.0.0/16", "192.168.0.128/26", "2600::/16", "1.0.0.0/9", "5.5.5.0/24", "10.0.0.0/15")

    /// A cluster from a seed.
    public init(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        objects = ClusterObjects()
        for name in RandomCluster.namespaces.dropLast() {
            var meta = ObjectMeta(name: name)
            if random.once(in: 2) { meta.labels["team"] = random.pick(["x", "y"]) }
            objects.namespaces.append(Namespace(metadata: meta))
        }
        objects.nodes = [
            Node(metadata: ObjectMeta(name: "node-1"), addresses: RandomCluster.addresses("192.168.0.1", "fd00:1::1")),
            Node(metadata: ObjectMeta(name: "node-2"), addresses: RandomCluster.addresses("192.168.0.2", "fd00:1::2")),
            Node(metadata: ObjectMeta(name: "node-3"), addresses: RandomCluster.addresses("192.168.0.130")),
        ]
        for index in objects.nodes.indices {
            if random.once(in: 2) { objects.nodes[index].metadata.labels["zone"] = random.pick(["a", "b"]) }
            if random.once(in: 3) { objects.nodes[index].metadata.labels["app"] = "a" }
        }
        objects.localNetworks = RandomCluster.prefixes(
            "192.168.0.0/24", "fd00:1::/64", "10.0.0.0/22", "192.168.0.1/32", "fd00:1::1/128", "10.0.4.254/31")
        objects.cidrGroups = [
            CIDRGroup(
                metadata: ObjectMeta(name: "office", labels: ["team": "x"]),
                prefixes: Array(RandomCluster.groupPrefixes[..<3])),
            CIDRGroup(
                metadata: ObjectMeta(name: "partners", labels: ["team": random.pick(["x", "y"]), "far": "1"]),
                prefixes: Array(RandomCluster.groupPrefixes[3...])),
            CIDRGroup(metadata: ObjectMeta(name: "nobody"), prefixes: []),
        ]
        objects.names = [
            "api.example.com": RandomCluster.addresses("1.1.1.1", "2600::1"),
            "www.example.com": RandomCluster.addresses("1.1.1.2", "1.1.1.1"),
            "db.internal": RandomCluster.addresses("10.9.9.9", "10.0.0.1"),
        ]
        objects.services = [
            Service(metadata: ObjectMeta(name: "inside", namespace: "alpha"), selector: ["app": "a"]),
            Service(
                metadata: ObjectMeta(name: "outside", namespace: "beta", labels: ["team": "x"]), selector: [:]),
        ]
        objects.endpointSlices = [
            EndpointSlice(
                metadata: ObjectMeta(name: "outside", namespace: "beta"), serviceName: "outside",
                addresses: RandomCluster.addresses("8.8.8.8", "1.1.1.2", "2600::2"))
        ]
        if !random.once(in: 3) {
            objects.endpointSlices += [
                EndpointSlice(
                    metadata: ObjectMeta(name: "kubernetes", namespace: "default"), serviceName: "kubernetes",
                    addresses: RandomCluster.addresses(random.pick(["192.168.0.1", "192.168.0.2", "5.5.5.5"])))
            ]
        }
        for number in 0..<(4 + random.below(14)) { objects.pods.append(RandomCluster.pod(number, &random)) }
        if random.once(in: 6), let claimed = objects.pods.first?.addresses.first {
            // A pod has at most one address a family.
            objects.pods[objects.pods.count - 1].addresses.removeAll { $0.isIPv4 == claimed.isIPv4 }
            objects.pods[objects.pods.count - 1].addresses.append(claimed)
        }
        var policies = RandomPolicies(random: random)
        for number in 0..<random.below(6) { objects.networkPolicies.append(policies.networkPolicy(number)) }
        for number in 0...random.below(6) { objects.ciliumPolicies.append(policies.ciliumPolicy(number)) }
        if random.once(in: 2) {
            for number in 0..<random.below(4) { objects.clusterPolicies.append(policies.clusterPolicy(number)) }
        }
        extra = []
        for number in 0..<random.below(7) { extra.append(policies.lowered(number)) }
        var forNodes = RandomPolicies(random: SplitMix64(seed: seed ^ 0x6e6f_6465))
        hostPolicies = (0...forNodes.random.below(4)).map { forNodes.hostPolicy($0) }
    }

    /// The cluster with the policies for nodes.
    public func addingHostPolicies() -> RandomCluster {
        var cluster = self
        cluster.objects.ciliumPolicies += hostPolicies
        return cluster
    }

    /// A random other end of the local node's flows, as a single one: no group, no address of the node itself.
    public func remoteOfNode(isIPv4: Bool, _ random: inout SplitMix64) -> IPAddress {
        let inside = objects.pods.flatMap(\.addresses) + objects.nodes.flatMap(\.addresses)
        let own = Set(nodeAddresses + objects.pods.filter(\.hostNetwork).flatMap(\.addresses))
        let outside = RandomCluster.outside.prefix(12)
        let others = (outside + (random.once(in: 3) ? [] : inside)).filter {
            $0.isIPv4 == isIPv4 && !own.contains($0)
        }
        return random.pick(others)
    }

    /// All policies.
    public var policies: [LoweredPolicy] { PolicyLowering.lower(objects).policies + extra }

    /// A random pod; pods of equal numbers have equal names and addresses.
    public static func pod(_ number: Int, _ random: inout SplitMix64) -> Pod {
        var meta = ObjectMeta(name: "p\(number)", namespace: random.pick(namespaces))
        for (key, values) in [
            ("app", ["a", "b", "c"]), ("tier", ["1", "2"]), ("pod-template-hash", ["77", "88"]),
            ("app.kubernetes.io/name", ["a", "b"]), ("kubernetes.io/x", ["1"]),
        ] where !random.once(in: 3) {
            meta.labels[key] = random.pick(values)
        }
        var pod = Pod(metadata: meta, nodeName: random.pick(["", "node-1", "node-1", "node-2"]))
        pod.serviceAccount = random.once(in: 4) ? "ci" : "default"
        if random.once(in: 2) {
            pod.ports.append(ContainerPort(name: "http", protocol: .tcp, port: random.pick([80, 8080])))
        }
        if random.once(in: 6) { pod.ports.append(ContainerPort(name: "http", protocol: .tcp, port: 443)) }
        if random.once(in: 3) {
            pod.ports.append(ContainerPort(name: "dns", protocol: .udp, port: random.pick([53, 5353])))
        }
        if random.once(in: 6) { pod.ports.append(ContainerPort(name: "dns", protocol: .tcp, port: 53)) }
        if random.once(in: 4) { pod.ports.append(ContainerPort(name: "", protocol: .tcp, port: 9)) }
        let place = RandomCluster.namespaces.firstIndex(of: meta.namespace) ?? 0
        if !random.once(in: 12) { pod.addresses += addresses("10.0.\(place).\(number + 1)") }
        if random.once(in: 2) { pod.addresses += addresses("fd00:10::\(place):\(number + 1)") }
        if random.once(in: 12) {
            pod.hostNetwork = true
            pod.addresses = addresses(
                pod.nodeName == "node-2" ? "192.168.0.2" : "192.168.0.1", "192.168.0.\(number + 20)")
        } else if random.once(in: 12) {
            pod.phase = random.pick(["Succeeded", "Failed"])
        }
        return pod
    }

    /// Both ends of a random flow, of one family, the first or the second a local pod.
    public func flowEnds(_ random: inout SplitMix64) -> (IPAddress, IPAddress)? {
        let local = objects.pods.filter {
            !$0.hostNetwork && !$0.isFinished && ($0.nodeName.isEmpty || $0.nodeName == localNode)
        }.flatMap(\.addresses)
        guard !local.isEmpty else { return nil }
        let own = random.pick(local)
        // The outside is one address among many: without this, rules about it would decide next to nothing.
        let inside = random.once(in: 3) ? [] : objects.pods.flatMap(\.addresses) + objects.nodes.flatMap(\.addresses)
        let others = (RandomCluster.outside + inside).filter { $0.isIPv4 == own.isIPv4 }
        let other = random.pick(others)
        return random.once(in: 2) ? (own, other) : (other, own)
    }

    /// The local node's addresses.
    public var nodeAddresses: [IPAddress] {
        objects.nodes.filter { $0.metadata.name == localNode }.flatMap(\.addresses)
    }

    /// A random protocol and port.
    public static func traffic(isIPv4: Bool, _ random: inout SplitMix64) -> (L4Protocol, UInt16) {
        switch random.below(8) {
        case 0...3: (.tcp, random.pick([0, 53, 79, 80, 81, 443, 8080, 8090, 65535]))
        case 4, 5: (.udp, random.pick([53, 80, 5353, 8080]))
        case 6: random.once(in: 2) ? (.sctp, random.pick([80, 8080])) : (L4Protocol(rawValue: 47), 0)
        default: (isIPv4 ? .icmp : .icmpv6, isIPv4 ? random.pick([0, 3, 8]) : random.pick([128, 129, 1]))
        }
    }

    /// Addresses from texts.
    public static func addresses(_ texts: String...) -> [IPAddress] { texts.compactMap { IPAddress(parsing: $0) } }

    /// Prefixes from texts.
    public static func prefixes(_ texts: String...) -> [IPPrefix] { texts.compactMap { IPPrefix(parsing: $0) } }
}
