import NetTypes
import PolicyAPI
import PolicyIR
import Testing

/// `app=web, tier!=front, team, !old, k8s:io.kubernetes.pod.namespace=shop` as a selector; empty for everything.
func selector(_ text: String = "") -> LabelSelector {
    let terms = text.split(separator: ",").map { $0.trimmingPrefix(while: { $0 == " " }) }
    return LabelSelector(
        terms.map { term in
            let isAbsent = term.hasPrefix("!")
            let isUnequal = term.contains("!=")
            let sides = term.drop { $0 == "!" }.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let parts = sides[0].filter { $0 != "!" }.split(separator: ":", maxSplits: 1)
            let source = parts.count == 2 ? String(parts[0]) : "any"
            let key = String(parts[parts.count - 1])
            if sides.count == 1 {
                return LabelRequirement(source: source, key: key, operator: isAbsent ? .doesNotExist : .exists)
            }
            return LabelRequirement(
                source: source, key: key, operator: isUnequal ? .notIn : .isIn, values: [String(sides[1])])
        })
}

/// `app=web, tier=front` as labels.
func labels(_ text: String) -> [String: String] {
    var result: [String: String] = [:]
    for requirement in selector(text).requirements { result[requirement.key] = requirement.values.first ?? "" }
    return result
}

/// A pod by `namespace/name`.
func pod(
    _ name: String, _ text: String = "", _ addresses: [String] = [], ports: [ContainerPort] = [],
    node: String = "node-1",
    hostNetwork: Bool = false, phase: String = "Running"
) -> Pod {
    let parts = name.split(separator: "/").map(String.init)
    return Pod(
        metadata: ObjectMeta(name: parts[1], namespace: parts[0], labels: labels(text)), nodeName: node,
        hostNetwork: hostNetwork, ports: ports, addresses: addresses.compactMap { IPAddress(parsing: $0) }, phase: phase
    )
}

func namespace(_ name: String, _ text: String = "") -> Namespace {
    Namespace(metadata: ObjectMeta(name: name, labels: labels(text)))
}

func prefix(_ text: String) throws -> IPPrefix { try #require(IPPrefix(parsing: text)) }

/// A CiliumNetworkPolicy of one rule; clusterwide without a namespace.
func cilium(_ namespace: String?, _ name: String = "policy", _ rule: CiliumRule) -> CiliumPolicy {
    CiliumPolicy(
        metadata: ObjectMeta(name: name, namespace: namespace ?? ""), isClusterwide: namespace == nil, rules: [rule])
}

/// An element of a rule list, its members set by `change`.
func element(_ path: String = "spec.ingress[0]", _ change: (inout CiliumElement) -> Void = { _ in }) -> CiliumElement {
    var element = CiliumElement(path: path)
    change(&element)
    return element
}

/// A `toPorts` entry of TCP ports.
func tcp(_ ports: UInt16..., http: Presence<[Located<HTTPRule>]> = .absent) -> PortRule {
    PortRule(
        ports: ports.map { PortProtocol(protocols: [.tcp], port: .range(PortRange($0))) }, http: http,
        path: "spec.ingress[0].toPorts[0]")
}

/// An evaluator of the policies among the objects, as lowering gives them.
func evaluator(_ objects: ClusterObjects, localNode: String? = nil) -> ReferenceEvaluator {
    ReferenceEvaluator(objects, policies: PolicyLowering.lower(objects).policies, localNode: localNode)
}

extension ReferenceEvaluator {
    /// Both sides and the whole answer of `from -> to 80/TCP`: `allow/deny=deny`.
    func answer(_ from: String, _ to: String, _ traffic: String = "80/TCP") throws -> String {
        let name = try #require(TrafficName(parsing: traffic))
        let flow = Flow(
            from: try #require(FlowEnd(parsing: from)), to: try #require(FlowEnd(parsing: to)), protocol: name.protocol,
            port: name.port)
        let answer = try answer(flow)
        return "\(answer.egress.rawValue)/\(answer.ingress.rawValue)=\(answer.verdict.rawValue)"
    }
}
