extension CiliumPolicy {
    static let table = FieldTable(
        "", rows: [.enforced("apiVersion", "kind", "metadata", "spec", "specs"), .metadata("status")])

    /// Reads a cilium.io/v2 policy. The second value says what to isolate if there is an error: one entry a rule.
    static func decode(
        _ object: DocumentNode, isClusterwide: Bool, _ diagnostics: inout DiagnosticCollector
    ) -> (CiliumPolicy, [PolicyRefusal]) {
        let scope: ObjectHeader.Scope = isClusterwide ? .cluster : .namespaced
        let metadata = ObjectHeader.metadata(object, scope, isPolicy: true, &diagnostics)
        var policy = CiliumPolicy(metadata: metadata, isClusterwide: isClusterwide, rules: [])
        var refusals: [PolicyRefusal] = []
        let top = table.read(object, &diagnostics)
        var nodes: [DocumentNode] = []
        if let spec = top?["spec"] { nodes.append(spec) }
        nodes += diagnostics.list(top?["specs"]) ?? []
        // Not a list, but perhaps a rule without its dash: then it says which pods to isolate.
        if let specs = top?["specs"], specs.elements == nil { nodes.append(specs) }
        if nodes.isEmpty {
            diagnostics.error(
                .missingField, object, "at least one of `spec` and `specs` is required", "write spec: with a rule")
        }
        for node in nodes {
            let (rule, refusal) = CiliumRule.decode(node, of: policy, &diagnostics)
            if let rule { policy.rules.append(rule) }
            refusals.append(refusal)
        }
        if refusals.isEmpty {
            refusals = [PolicyRefusal(origin: policy.origin(of: object), subject: nil, ingress: true, egress: true)]
        }
        return (policy, refusals)
    }

    /// The origin of a part of the policy.
    func origin(of node: DocumentNode) -> RuleOrigin {
        RuleOrigin(
            kind: kind, namespace: metadata.namespace, name: metadata.name, path: node.path.description,
            location: node.location)
    }
}
