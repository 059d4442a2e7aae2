import NetTypes
import NetpoldTestSupport
import PolicyAPI
import PolicyIR

/// A small random cluster with NetworkPolicies: 3 namespaces, 6 pods, a few policies.
struct SmallCluster {
    var objects = ClusterObjects()

    private static let ports: [UInt16] = [53, 80, 443, 8080]
    private static let prefixes = ["10.0.0.0/8", "10.0.1.0/24", "192.0.2.0/24", "0.0.0.0/0", "::/0"]

    init(_ random: inout SplitMix64) {
        let names = ["x", "y", "z"]
        objects.namespaces = names.map { namespace($0, "ns=\($0), team=\($0 == "x" ? "red" : "blue")") }
        for (index, name) in names.enumerated() {
            for (number, app) in ["a", "b"].enumerated() {
                objects.pods.append(
                    pod(
                        "\(name)/\(app)", "app=\(app)" + (random.once(in: 2) ? ", tier=back" : ""),
                        ["10.0.\(index).\(number + 1)"],
                        ports: [ContainerPort(name: "http", protocol: .tcp, port: random.pick(SmallCluster.ports))]))
            }
        }
        for number in 0..<Int.random(in: 1...4, using: &random) {
            objects.networkPolicies.append(SmallCluster.policy(number, &random))
        }
    }

    static func policy(_ number: Int, _ random: inout SplitMix64) -> NetworkPolicy {
        NetworkPolicy(
            metadata: ObjectMeta(name: "policy-\(number)", namespace: random.pick(["x", "y", "z"])),
            podSelector: selector(random.pick(["", "app=a", "tier=back", "!tier"])),
            policyTypes: random.pick([[.ingress], [.egress], [.ingress, .egress]]),
            ingress: rules(&random), egress: rules(&random))
    }

    static func rules(_ random: inout SplitMix64) -> [NetworkPolicyRule] {
        (0..<Int.random(in: 0...2, using: &random)).map { rule($0, &random) }
    }

    static func rule(_ index: Int, _ random: inout SplitMix64) -> NetworkPolicyRule {
        NetworkPolicyRule(
            peers: (0..<Int.random(in: 0...2, using: &random)).map { _ in peer(&random) },
            ports: (0..<Int.random(in: 0...2, using: &random)).map { _ in port(&random) }, path: "rule[\(index)]")
    }

    static func peer(_ random: inout SplitMix64) -> NetworkPolicyPeer {
        if random.once(in: 3), let cidr = IPPrefix(parsing: random.pick(prefixes)) {
            let except = IPPrefix(parsing: "10.0.1.0/25").map { cidr.contains($0) && cidr != $0 ? [$0] : [] } ?? []
            return .ipBlock(cidr: cidr, except: random.once(in: 2) ? except : [])
        }
        return .pods(
            namespaces: random.once(in: 2) ? nil : selector(random.pick(["", "team=blue", "ns=x", "ns!=y"])),
            pods: selector(random.pick(["", "app=a", "tier=back", "!tier"])))
    }

    static func port(_ random: inout SplitMix64) -> NetworkPolicyPort {
        let wanted = random.pick([L4Protocol.tcp, .tcp, .udp])
        switch Int.random(in: 0..<4, using: &random) {
        case 0: return NetworkPolicyPort(protocol: wanted, port: .all)
        case 1: return NetworkPolicyPort(protocol: wanted, port: .named("http"))
        case 2: return NetworkPolicyPort(protocol: wanted, port: .range(PortRange(80, 443)))
        default: return NetworkPolicyPort(protocol: wanted, port: .range(PortRange(random.pick(ports))))
        }
    }

    /// The answers to every flow between all ends on some ports, as allowed flows.
    static func allowed(_ objects: ClusterObjects) -> Set<Flow> {
        let evaluator = evaluator(objects)
        let pods = objects.pods.map { FlowEnd.pod(namespace: $0.metadata.namespace, name: $0.metadata.name) }
        let outside = ["192.0.2.1", "198.51.100.1", "10.0.1.9", "2001:db8::1"].compactMap { IPAddress(parsing: $0) }
        let ends = pods + outside.map(FlowEnd.address) + [.host, .remoteNode]
        var allowed: Set<Flow> = []
        for from in ends {
            for to in ends {
                for (wanted, port) in [(L4Protocol.tcp, 80), (.tcp, 8080), (.udp, 53), (.icmp, 8)]
                    as [(L4Protocol, UInt16)]
                {
                    let flow = Flow(from: from, to: to, protocol: wanted, port: port)
                    if (try? evaluator.answer(flow))?.verdict == .allow { allowed.insert(flow) }
                }
            }
        }
        return allowed
    }
}
