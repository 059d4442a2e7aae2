import BPFEmit
import PolicyAPI
import PolicyIR

/// The policies of one moment, by file. Never fewer than one isolates every pod.
struct ChaosPolicies: Hashable, Sendable {
    /// Text by file name.
    private(set) var files: [String: String] = [
        "base.yaml": ChaosPolicies.base, "policy-0.yaml": ChaosPolicies.open,
    ]
    private static let places = 6
    private static let apps = ["red", "green", "blue"]
    /// What probes go to.
    static let ports: [UInt16] = [9000, 9001]

    private static let base = """
        apiVersion: networking.k8s.io/v1
        kind: NetworkPolicy
        metadata: {name: base, namespace: chaos}
        spec: {podSelector: {}, policyTypes: [Ingress]}

        """

    /// In the place of the first random policy: so that something passes, whatever chance brings.
    private static let open = """
        apiVersion: networking.k8s.io/v1
        kind: NetworkPolicy
        metadata: {name: policy-0, namespace: chaos}
        spec: {podSelector: {}, ingress: [{ports: [{protocol: UDP, port: 9000}]}]}

        """

    /// One policy added, replaced or taken away at random; tells which file.
    mutating func mutate(_ random: inout some RandomNumberGenerator) -> String {
        let place = Int.random(in: 0..<Self.places, using: &random)
        let file = "policy-\(place).yaml"
        if files[file] != nil, Bool.random(using: &random) {
            files[file] = nil
        } else {
            files[file] = Self.policy(place, &random)
        }
        return file
    }

    /// What a reader may find while these files take the place of others one after the other: each changed file is the old one or the
    /// new one. These files themselves come last.
    func mixes(from before: [String: String]) -> [ChaosPolicies] {
        let changed = Set(before.keys).union(files.keys).sorted().filter { before[$0] != files[$0] }
        return (0..<1 << changed.count).map { chosen in
            var mixed = self
            for (index, file) in changed.enumerated() where chosen >> index & 1 == 0 {
                mixed.files[file] = before[file]
            }
            return mixed
        }
    }

    private static func policy(_ place: Int, _ random: inout some RandomNumberGenerator) -> String {
        let subject = apps.randomElement(using: &random) ?? "red"
        let peer = apps.randomElement(using: &random) ?? "red"
        let port = ports.randomElement(using: &random) ?? 9000
        switch Int.random(in: 0..<3, using: &random) {
        case 0:
            return """
                apiVersion: cilium.io/v2
                kind: CiliumNetworkPolicy
                metadata: {name: policy-\(place), namespace: chaos}
                spec:
                  endpointSelector: {matchLabels: {app: \(subject)}}
                  ingressDeny: [{fromEndpoints: [{matchLabels: {app: \(peer)}}]}]

                """
        case 1:
            return """
                apiVersion: networking.k8s.io/v1
                kind: NetworkPolicy
                metadata: {name: policy-\(place), namespace: chaos}
                spec:
                  podSelector: {matchLabels: {app: \(subject)}}
                  policyTypes: [Egress]
                  egress: [{to: [{podSelector: {matchLabels: {app: \(peer)}}}], ports: [{protocol: UDP, port: \(port)}]}]

                """
        default:
            return """
                apiVersion: networking.k8s.io/v1
                kind: NetworkPolicy
                metadata: {name: policy-\(place), namespace: chaos}
                spec:
                  podSelector: {matchLabels: {app: \(subject)}}
                  ingress: [{from: [{podSelector: {matchLabels: {app: \(peer)}}}], ports: [{protocol: UDP, port: \(port)}]}]

                """
        }
    }

    /// The objects of these files and pods.
    func objects(_ pods: [ChaosPod]) throws -> ClusterObjects {
        var decoder = ManifestDecoder()
        for (file, text) in files.sorted(by: { $0.key < $1.key }) { decoder.add(Array(text.utf8), file: file) }
        decoder.add(Array(pods.map(\.manifest).joined(separator: "---\n").utf8), file: "cluster.yaml")
        let decoded = decoder.finish()
        guard !decoded.hasErrors else { throw PodNetworkError("\(decoded.diagnostics)") }
        return decoded.objects
    }
}
