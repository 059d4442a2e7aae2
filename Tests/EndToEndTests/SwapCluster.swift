/// Four pods and two policies between which the tests swap. No mixture of the two may ever decide a packet: `green` may
/// reach 8001 under the first only, `blue` 8002 under the second only, so `green` never 8002 and `blue` never 8001;
/// `always` may reach 9000 under both.
enum SwapCluster {
    /// Which directions of the pods policies isolate: the server's ingress, the clients' egress, or all of all pods'.
    enum Isolation: CaseIterable {
        case ingress, egress, both
    }

    static let pods = ["green", "blue", "always", "server"].enumerated().map { index, name in
        """
        apiVersion: v1
        kind: Pod
        metadata: {name: \(name), namespace: lab, labels: {app: \(name)}}
        spec: {nodeName: node-1, containers: [{name: main}]}
        status: {phase: Running, podIP: 10.244.7.\(index + 10), podIPs: [{ip: 10.244.7.\(index + 10)}]}
        """
    }.joined(separator: "\n---\n")

    /// A policy that selects no pod.
    static let nothing = """
        apiVersion: networking.k8s.io/v1
        kind: NetworkPolicy
        metadata: {name: nobody, namespace: lab}
        spec:
          podSelector: {matchLabels: {app: nobody}}
          policyTypes: [Ingress]
        """

    static let first = first(.ingress)
    static let second = second(.ingress)

    static func first(_ isolation: Isolation) -> String {
        policies(isolation, name: "first", from: "green", port: 8001)
    }
    static func second(_ isolation: Isolation) -> String {
        policies(isolation, name: "second", from: "blue", port: 8002)
    }

    private static func policies(_ isolation: Isolation, name: String, from: String, port: Int) -> String {
        switch isolation {
        case .ingress: return ingress(name, from, port)
        case .egress: return egress(name, from, port)
        case .both:
            let nothing = """
                apiVersion: networking.k8s.io/v1
                kind: NetworkPolicy
                metadata: {name: nothing-else, namespace: lab}
                spec:
                  podSelector: {}
                  policyTypes: [Ingress, Egress]
                """
            return [ingress(name, from, port), egress(name, from, port), nothing].joined(separator: "\n---\n")
        }
    }

    private static func ports(_ port: Int) -> String {
        "[{protocol: UDP, port: \(port)}, {protocol: TCP, port: \(port)}]"
    }

    private static func ingress(_ name: String, _ from: String, _ port: Int) -> String {
        """
        apiVersion: networking.k8s.io/v1
        kind: NetworkPolicy
        metadata: {name: \(name), namespace: lab}
        spec:
          podSelector: {matchLabels: {app: server}}
          policyTypes: [Ingress]
          ingress:
          - from: [{podSelector: {matchLabels: {app: always}}}]
            ports: \(ports(9000))
          - from: [{podSelector: {matchLabels: {app: \(from)}}}]
            ports: \(ports(port))
        """
    }

    /// The same, said of the clients.
    private static func egress(_ name: String, _ from: String, _ port: Int) -> String {
        [("green", from == "green" ? port : nil), ("blue", from == "blue" ? port : nil), ("always", 9000)].map {
            client, port in
            let rule = port.map {
                """

                  egress:
                  - to: [{podSelector: {matchLabels: {app: server}}}]
                    ports: \(ports($0))
                """
            }
            return """
                apiVersion: networking.k8s.io/v1
                kind: NetworkPolicy
                metadata: {name: \(name)-of-\(client), namespace: lab}
                spec:
                  podSelector: {matchLabels: {app: \(client)}}
                  policyTypes: [Egress]\(rule ?? "")
                """
        }.joined(separator: "\n---\n")
    }
}
