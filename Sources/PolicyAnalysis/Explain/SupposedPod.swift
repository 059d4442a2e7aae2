import NetTypes
public import PolicyAPI

/// A pod that there is not, by its labels: what policies would say of it.
public struct SupposedPod: Sendable {
    /// `NAMESPACE/KEY=VALUE,...`: also the pod's name among the objects, which no other can have.
    public let text: String
    private let namespace: String
    private let labels: [String: String]

    /// Reads `shop/app=web,tier=front`; `shop/` for a pod without labels.
    ///
    /// - Throws: `FlowText.Mistake`.
    public init(parsing text: String) throws(FlowText.Mistake) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2, !parts[0].isEmpty, !parts[0].contains("=") else {
            throw FlowText.Mistake(
                description: "'\(text)' is no pod's labels; write NAMESPACE/KEY=VALUE,KEY=VALUE: shop/app=web")
        }
        var labels: [String: String] = [:]
        for pair in parts[1].split(separator: ",", omittingEmptySubsequences: true) {
            let fields = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard fields.count == 2, !fields[0].isEmpty, labels[fields[0]] == nil else {
                throw FlowText.Mistake(description: "'\(pair)' is not a label; write KEY=VALUE, each key once")
            }
            // A pod that cannot exist has no answer.
            if let problem = NameSyntax.labelKey(fields[0]) {
                throw FlowText.Mistake(description: "'\(fields[0])' is not a label's key: it \(problem)")
            }
            if let problem = NameSyntax.labelValue(fields[1]) {
                throw FlowText.Mistake(description: "'\(fields[1])' is not a label's value: it \(problem)")
            }
            labels[fields[0]] = fields[1]
        }
        self.text = text
        namespace = parts[0]
        self.labels = labels
    }

    /// Adds the pod to objects, with addresses that nobody has. It has no named ports.
    ///
    /// - Throws: `FlowText.Mistake` when no object is in the namespace.
    public func add(to objects: inout ClusterObjects) throws(FlowText.Mistake) {
        let names = Set(
            objects.namespaces.map(\.metadata.name) + objects.pods.map(\.metadata.namespace)
                + objects.networkPolicies.map(\.metadata.namespace) + objects.ciliumPolicies.map(\.metadata.namespace)
                + objects.services.map(\.metadata.namespace)
        ).subtracting([""])
        guard names.contains(namespace) else {
            throw FlowText.Mistake(
                description: "no object is in a namespace \(namespace)"
                    + NameHint.text(namespace, names.sorted(), noun: "namespaces"))
        }
        guard !objects.pods.contains(where: { $0.qualifiedName == text }) else { return }
        var metadata = ObjectMeta(name: String(text.dropFirst(namespace.count + 1)))
        metadata.namespace = namespace
        metadata.labels = labels
        var addresses = SyntheticAddresses(objects)
        var pod = Pod(metadata: metadata, addresses: addresses.pod())
        pod.isSynthetic = true
        objects.pods.append(pod)
    }
}
