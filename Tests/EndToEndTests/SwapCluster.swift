/// Four pods and two policies between which the tests swap. No mixture of the two may ever decide a packet: `green` may
/// reach 8001 under the first only, `blue` 8002 under the second only, so `green` never 8002 and `blue` never 8001;
/// `always` may reach 9000 under both.
enum SwapCluster {
    static let pods = ["green", "blue", "always", "server"].enumerated().map { index, name in
        """
        apiVersion: v1
        kind: Pod
        metadata: {name: \(name), namespace: lab, labels: {app: \(name)}}
        spec: {nodeName: node-1, containers: [{name: main}]}
        status: {phase: Running, podIP: 10.244.7.\(index + 10), podIPs: [{ip: 10.244.7.\(index + 10)}]}
        """
    }.joined(separator: "\n---\n")

    static let first = policy(name: "first", from: "green", port: 8001)
    static let second = policy(name: "second", from: "blue", port: 8002)

    private static func policy(name: String, from: String, port: Int) -> String {
        """
        apiVersion: networking.k8s.io/v1
        kind: NetworkPolicy
        metadata: {name: \(name), namespace: lab}
        spec:
          podSelector: {matchLabels: {app: server}}
          policyTypes: [Ingress]
          ingress:
          - from: [{podSelector: {matchLabels: {app: always}}}]
            ports: [{protocol: UDP, port: 9000}, {protocol: TCP, port: 9000}]
          - from: [{podSelector: {matchLabels: {app: \(from)}}}]
            ports: [{protocol: UDP, port: \(port)}, {protocol: TCP, port: \(port)}]
        """
    }
}
