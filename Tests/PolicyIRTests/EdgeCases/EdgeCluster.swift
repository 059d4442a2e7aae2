import NetpoldTestSupport

/// The cluster of the edge cases. Its pods, by namespace:
///
/// - shop (team=red): `web` (app=web, tier=front, ports http 8080, dns 53/UDP), `db` (app=db, http 80), `cache` (app=cache,
///   tier=front, no ports), all dual stack; `agent` with hostNetwork on node-1; `done`, finished, with db's label.
/// - ops (team=blue): `probe` (app=probe, http 9000), `web` (app=web), `dns` (app=dns, ports 53).
///
/// All run on node-1 (10.9.0.1), which `host` means; node-2 (10.9.0.2) is another. Service shop/database selects `db`,
/// shop/bank has no selector and the address 203.0.113.9.
enum EdgeCluster {
    static let manifests = """
        apiVersion: v1
        kind: Namespace
        metadata: {name: shop, labels: {team: red}}
        ---
        apiVersion: v1
        kind: Namespace
        metadata: {name: ops, labels: {team: blue, purpose: monitoring}}
        ---
        \(pod("shop", "web", "app: web, tier: front", ["10.0.0.1", "fd00::1"], ["http 8080", "dns 53 UDP"]))
        ---
        \(pod("shop", "db", "app: db, pod-template-hash: abc", ["10.0.0.2", "fd00::2"], ["http 80"]))
        ---
        \(pod("shop", "cache", "app: cache, tier: front", ["10.0.0.3", "fd00::3"]))
        ---
        \(pod("ops", "probe", "app: probe", ["10.0.1.1"], ["http 9000"]))
        ---
        \(pod("ops", "web", "app: web", ["10.0.1.2"]))
        ---
        \(pod("ops", "dns", "app: dns", ["10.0.1.3"], ["dns 53 UDP", "dns-tcp 53"]))
        ---
        \(pod("shop", "agent", "app: agent", ["10.9.0.1"], spec: "hostNetwork: true"))
        ---
        \(pod("shop", "done", "app: db", ["10.0.0.66"], phase: "Succeeded"))
        ---
        apiVersion: v1
        kind: Node
        metadata: {name: node-1, labels: {zone: a}}
        status: {addresses: [{type: InternalIP, address: 10.9.0.1}]}
        ---
        apiVersion: v1
        kind: Node
        metadata: {name: node-2, labels: {zone: b}}
        status: {addresses: [{type: InternalIP, address: 10.9.0.2}]}
        ---
        apiVersion: v1
        kind: Service
        metadata: {name: database, namespace: shop, labels: {kind: data}}
        spec: {selector: {app: db}}
        ---
        apiVersion: v1
        kind: Service
        metadata: {name: bank, namespace: shop}
        spec: {}
        ---
        apiVersion: discovery.k8s.io/v1
        kind: EndpointSlice
        metadata: {name: bank-1, namespace: shop, labels: {kubernetes.io/service-name: bank}}
        addressType: IPv4
        endpoints: [{addresses: [203.0.113.9]}]

        """

    /// A pod. A port is written `name number [protocol]`.
    static func pod(
        _ namespace: String, _ name: String, _ labels: String, _ addresses: [String], _ ports: [String] = [],
        spec: String = "hostNetwork: false", phase: String = "Running"
    ) -> String {
        let list = ports.map { port in
            let parts = port.split(separator: " ")
            return "{name: \(parts[0]), containerPort: \(parts[1]), protocol: \(parts.count > 2 ? parts[2] : "TCP")}"
        }
        return """
            apiVersion: v1
            kind: Pod
            metadata: {name: \(name), namespace: \(namespace), labels: {\(labels)}}
            spec: {nodeName: node-1, \(spec), containers: [{name: main, ports: [\(list.joined(separator: ", "))]}]}
            status: {phase: \(phase), podIPs: [\(addresses.map { "{ip: '\($0)'}" }.joined(separator: ", "))]}
            """
    }
}
