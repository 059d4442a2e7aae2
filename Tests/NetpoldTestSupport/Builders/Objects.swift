public import NetTypes
public import PolicyAPI

/// `app=web, tier!=front, team, !old, k8s:io.kubernetes.pod.namespace=shop` as a selector; empty for everything.
public func selector(_ text: String = "") -> LabelSelector {
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
public func labels(_ text: String) -> [String: String] {
    var result: [String: String] = [:]
    for requirement in selector(text).requirements { result[requirement.key] = requirement.values.first ?? "" }
    return result
}

/// A pod by `namespace/name`, with labels and addresses as text.
public func pod(
    _ name: String, _ text: String = "", _ addresses: [String] = [], ports: [ContainerPort] = [],
    node: String = "node-1", hostNetwork: Bool = false, phase: String = "Running"
) -> Pod {
    let parts = name.split(separator: "/").map(String.init)
    return Pod(
        metadata: ObjectMeta(name: parts[1], namespace: parts[0], labels: labels(text)), nodeName: node,
        hostNetwork: hostNetwork, ports: ports, addresses: addresses.compactMap { IPAddress(parsing: $0) }, phase: phase
    )
}

/// A namespace with labels as text.
public func namespace(_ name: String, _ text: String = "") -> Namespace {
    Namespace(metadata: ObjectMeta(name: name, labels: labels(text)))
}

/// A prefix from its text.
///
/// - Throws: `TestInputError` when it is not a prefix.
public func prefix(_ text: String) throws(TestInputError) -> IPPrefix {
    guard let prefix = IPPrefix(parsing: text) else { throw TestInputError("\(text) is not a prefix") }
    return prefix
}

/// A CiliumNetworkPolicy of one rule; clusterwide without a namespace.
public func cilium(_ namespace: String?, _ name: String = "policy", _ rule: CiliumRule) -> CiliumPolicy {
    CiliumPolicy(
        metadata: ObjectMeta(name: name, namespace: namespace ?? ""), isClusterwide: namespace == nil, rules: [rule])
}

/// An element of a rule list, its fields set by `change`.
public func element(
    _ path: String = "spec.ingress[0]", _ change: (inout CiliumElement) -> Void = { _ in }
) -> CiliumElement {
    var element = CiliumElement(path: path)
    change(&element)
    return element
}

/// A `toPorts` entry of TCP ports.
public func tcp(_ ports: UInt16..., http: Presence<[Located<HTTPRule>]> = .absent) -> PortRule {
    PortRule(
        ports: ports.map { PortProtocol(protocols: [.tcp], port: .range(PortRange($0))) }, http: http,
        path: "spec.ingress[0].toPorts[0]")
}
