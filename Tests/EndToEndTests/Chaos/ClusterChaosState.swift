import BPFEmit
import NetTypes
import NetpoldTestSupport
import PolicyAPI
import PolicyIR

/// The objects of one moment of a cluster, as YAML by kind, namespace and name.
struct ClusterChaosState: Hashable, Sendable {
    /// What names an object.
    struct Key: Hashable, Comparable, Sendable {
        /// Its kind.
        let kind: String
        /// Its namespace; empty for none.
        let namespace: String
        /// Its name.
        let name: String

        static func < (left: Key, right: Key) -> Bool {
            (left.kind, left.namespace, left.name) < (right.kind, right.namespace, right.name)
        }

        /// Whether what it says may let something pass or not; others are noise.
        var mayDecide: Bool { !["Service", "Node"].contains(kind) && !name.hasPrefix("remote-") }
        /// Whether it is a policy of a namespace.
        var isOwnPolicy: Bool { ["NetworkPolicy", "CiliumNetworkPolicy"].contains(kind) }
    }

    /// The text of each object.
    private(set) var texts: [Key: String] = [:]

    /// The namespaces of pods.
    static let namespaces = ["chaos", "mess"]
    private static let apps = ["red", "green", "blue"]
    private static let teams = ["a", "b"]
    private static let ports = ChaosPolicies.ports

    /// Pods, their namespaces and the policies that stay.
    init(_ pods: [ChaosPod]) {
        for number in 1...2 { self[Key(kind: "Node", namespace: "", name: "node-\(number)")] = Self.node(number) }
        for namespace in Self.namespaces {
            self[Key(kind: "Namespace", namespace: "", name: namespace)] = Self.namespace(namespace, team: "a")
            self[Key(kind: "NetworkPolicy", namespace: namespace, name: "base")] = """
                apiVersion: networking.k8s.io/v1
                kind: NetworkPolicy
                metadata: {name: base, namespace: \(namespace)}
                spec: {podSelector: {}, policyTypes: [Ingress]}
                """
            // Random policies do not take it away: something passes, whatever chance brings.
            self[Key(kind: "NetworkPolicy", namespace: namespace, name: "open")] = """
                apiVersion: networking.k8s.io/v1
                kind: NetworkPolicy
                metadata: {name: open, namespace: \(namespace)}
                spec:
                  podSelector: {matchExpressions: [{key: app, operator: In, values: [red, green]}]}
                  ingress: [{from: [{namespaceSelector: {}}], ports: [{protocol: UDP, port: 9000}]}]
                """
        }
        for pod in pods { self[Self.key(pod)] = pod.manifest }
    }

    /// The object of a key.
    subscript(key: Key) -> String? {
        get { texts[key] }
        set { texts[key] = newValue }
    }

    /// The keys that are wanted, sorted.
    func keys(_ isWanted: (Key) -> Bool) -> [Key] { texts.keys.filter(isWanted).sorted() }

    /// What differs from another state.
    func changed(from before: ClusterChaosState) -> [Key] {
        Set(before.texts.keys).union(texts.keys).filter { before.texts[$0] != texts[$0] }.sorted()
    }

    /// What a reader may find while another state becomes this one: each object that decides the old or the new one. This one comes last.
    func mixes(from before: ClusterChaosState) -> [ClusterChaosState] {
        let changed = changed(from: before).filter(\.mayDecide)
        return (0..<1 << changed.count).map { chosen in
            var mixed = self
            for (index, key) in changed.enumerated() where chosen >> index & 1 == 0 {
                mixed.texts[key] = before.texts[key]
            }
            return mixed
        }
    }

    /// The key of a pod.
    static func key(_ pod: ChaosPod) -> Key { Key(kind: "Pod", namespace: pod.namespace, name: pod.name) }

    // MARK: changes

    /// A policy is added, replaced or taken away.
    mutating func changePolicy(_ random: inout SplitMix64) {
        let namespace = random.pick(Self.namespaces)
        let place = random.below(7)
        let key =
            switch place {
            case 0...2: Key(kind: "NetworkPolicy", namespace: namespace, name: "p\(place)")
            case 3...4: Key(kind: "CiliumNetworkPolicy", namespace: namespace, name: "p\(place)")
            case 5: Key(kind: "CiliumClusterwideNetworkPolicy", namespace: "", name: "p5")
            default: Key(kind: "ClusterNetworkPolicy", namespace: "", name: "p6")
            }
        texts[key] = texts[key] != nil && random.once(in: 2) ? nil : Self.policy(key, &random)
    }

    /// A namespace gets another label.
    mutating func relabelNamespace(_ random: inout SplitMix64) {
        let name = random.pick(Self.namespaces)
        texts[Key(kind: "Namespace", namespace: "", name: name)] = Self.namespace(name, team: random.pick(Self.teams))
    }

    /// A pod gets another label.
    mutating func relabel(_ pod: ChaosPod, _ random: inout SplitMix64) {
        texts[Self.key(pod)] = pod.manifest(app: random.pick(Self.apps))
    }

    /// Pods of another node come and go.
    mutating func changeRemotes(_ random: inout SplitMix64) {
        for _ in 0..<5 {
            let number = random.below(20)
            let key = Key(kind: "Pod", namespace: Self.namespaces[number % 2], name: "remote-\(number)")
            texts[key] =
                texts[key] != nil && random.once(in: 2)
                ? nil
                : """
                apiVersion: v1
                kind: Pod
                metadata: {name: \(key.name), namespace: \(key.namespace), uid: u-\(number), labels: {app: \(random.pick(Self.apps))}}
                spec: {nodeName: node-2, containers: [{name: main}]}
                status: {phase: Running, podIP: 10.245.0.\(number + 1), podIPs: [{ip: 10.245.0.\(number + 1)}]}
                """
        }
    }

    /// Services come and go, of protocol TCP: no probe goes through them.
    mutating func changeServices(_ random: inout SplitMix64) {
        let number = random.below(5)
        let key = Key(kind: "Service", namespace: "chaos", name: "s\(number)")
        texts[key] =
            texts[key] != nil && random.once(in: 2)
            ? nil
            : """
            apiVersion: v1
            kind: Service
            metadata: {name: s\(number), namespace: chaos}
            spec: {clusterIP: 10.98.0.\(number + 1), selector: {app: \(random.pick(Self.apps))}, ports: [{port: 80, targetPort: 8080}]}
            """
    }

    // MARK: texts

    private static func node(_ number: Int) -> String {
        """
        apiVersion: v1
        kind: Node
        metadata: {name: node-\(number)}
        status: {addresses: [{type: InternalIP, address: 192.0.2.\(number)}]}
        """
    }

    /// A Namespace, being deleted or not.
    static func namespace(_ name: String, team: String, isTerminating: Bool = false) -> String {
        """
        apiVersion: v1
        kind: Namespace
        metadata: {name: \(name)\(isTerminating ? ", deletionTimestamp: '2026-01-01T00:00:00Z'" : ""), labels: {team: \(team)}}
        """
    }

    private static func policy(_ key: Key, _ random: inout SplitMix64) -> String {
        let (subject, peer) = (random.pick(apps), random.pick(apps))
        let (port, team) = (random.pick(ports), random.pick(teams))
        switch key.kind {
        case "NetworkPolicy":
            let source = random.pick([
                "{podSelector: {matchLabels: {app: \(peer)}}}", "{namespaceSelector: {matchLabels: {team: \(team)}}}",
                "{namespaceSelector: {matchLabels: {team: \(team)}}, podSelector: {matchLabels: {app: \(peer)}}}",
            ])
            let rule =
                random.once(in: 3)
                ? "policyTypes: [Egress], egress: [{to: [\(source)], ports: [{protocol: UDP, port: \(port)}]}]"
                : "ingress: [{from: [\(source)], ports: [{protocol: UDP, port: \(port)}]}]"
            return """
                apiVersion: networking.k8s.io/v1
                kind: NetworkPolicy
                metadata: {name: \(key.name), namespace: \(key.namespace)}
                spec: {podSelector: {matchLabels: {app: \(subject)}}, \(rule)}
                """
        case "ClusterNetworkPolicy":
            return """
                apiVersion: policy.networking.k8s.io/v1alpha2
                kind: ClusterNetworkPolicy
                metadata: {name: \(key.name)}
                spec:
                  tier: Admin
                  priority: 10
                  subject: {namespaces: {matchLabels: {team: \(team)}}}
                  ingress:
                  - action: \(random.once(in: 2) ? "Accept" : "Deny")
                    from: [{pods: {namespaceSelector: {}, podSelector: {matchLabels: {app: \(peer)}}}}]
                    protocols: [{udp: {destinationPort: {number: \(port)}}}]
                """
        default:
            let isClusterwide = key.namespace.isEmpty
            let place = isClusterwide ? "" : ", namespace: \(key.namespace)"
            let subjects = isClusterwide ? "k8s:io.cilium.k8s.namespace.labels.team: \(team)" : "app: \(subject)"
            let rule =
                random.once(in: 2)
                ? "ingressDeny: [{fromEndpoints: [{matchLabels: {app: \(peer)}}]}]"
                : "ingress: [{fromEndpoints: [{matchLabels: {app: \(peer)}}], "
                    + "toPorts: [{ports: [{port: '\(port)', protocol: UDP}]}]}]"
            return """
                apiVersion: cilium.io/v2
                kind: \(key.kind)
                metadata: {name: \(key.name)\(place)}
                spec: {endpointSelector: {matchLabels: {\(subjects)}}, \(rule)}
                """
        }
    }

    // MARK: meaning

    /// The objects.
    func objects() throws -> ClusterObjects {
        var decoder = ManifestDecoder()
        for (key, text) in texts.sorted(by: { $0.key < $1.key }) { decoder.add(Array(text.utf8), file: "\(key)") }
        let decoded = decoder.finish()
        guard !decoded.hasErrors else { throw PodNetworkError("\(decoded.diagnostics)") }
        return decoded.objects
    }

    /// Which of these pairs may talk.
    func allowed(_ pairs: [ProbePair], _ pods: [String: ChaosPod]) throws -> Set<ProbePair> {
        let objects = try objects()
        let evaluator = ReferenceEvaluator(
            objects, policies: PolicyLowering.lower(objects, for: .enforcement).policies, localNode: "node-1")
        return Set(
            try pairs.filter { pair in
                guard pair.pretending == nil, let from = pods[pair.from], let to = pods[pair.to] else { return false }
                let flow = Flow(
                    from: .pod(namespace: from.namespace, name: from.name),
                    to: .pod(namespace: to.namespace, name: to.name), protocol: .udp, port: pair.port)
                return try evaluator.decide(flow).verdict == .allow
            })
    }
}
