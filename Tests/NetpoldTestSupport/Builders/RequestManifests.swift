/// Pods with L7 rules, for tests of requests.
public enum RequestManifests {
    /// shop/web (egress by `web`), shop/db (ingress by `db`), shop/any (ingress: rules beside a plain allow).
    public static let text = """
        apiVersion: v1
        kind: Pod
        metadata: {name: web, namespace: shop, labels: {app: web}}
        status: {podIP: 10.0.0.1}
        ---
        apiVersion: v1
        kind: Pod
        metadata: {name: db, namespace: shop, labels: {app: db}}
        status: {podIP: 10.0.0.2}
        ---
        apiVersion: v1
        kind: Pod
        metadata: {name: any, namespace: shop, labels: {app: any}}
        status: {podIP: 10.0.0.3}
        ---
        apiVersion: cilium.io/v2
        kind: CiliumNetworkPolicy
        metadata: {name: web, namespace: shop}
        spec:
          endpointSelector: {matchLabels: {app: web}}
          egress:
          - toPorts:
            - ports: [{port: "80", protocol: TCP}]
              rules:
                http:
                - method: GET
                  headerMatches: [{name: X-From, value: web, mismatch: REPLACE}]
            - ports: [{port: "53", protocol: UDP}]
              rules: {dns: [{matchPattern: "*.shop.svc.cluster.local"}]}
            - ports: [{port: "443", protocol: TCP}]
              serverNames: ["*.example.com"]
          - toPorts: [{ports: [{port: "8080", protocol: TCP}]}]
        ---
        apiVersion: cilium.io/v2
        kind: CiliumNetworkPolicy
        metadata: {name: db, namespace: shop}
        spec:
          endpointSelector: {matchLabels: {app: db}}
          ingress:
          - fromEndpoints: [{matchLabels: {app: web}}]
            toPorts:
            - ports: [{port: "80", protocol: TCP}, {port: "8080", protocol: TCP}]
              rules:
                http:
                - path: /public
                - {path: "/api/.*", headers: ["X-From: web"]}
        ---
        apiVersion: cilium.io/v2
        kind: CiliumNetworkPolicy
        metadata: {name: any, namespace: shop}
        spec:
          endpointSelector: {matchLabels: {app: any}}
          ingress:
          - toPorts:
            - ports: [{port: "8080", protocol: TCP}]
              rules: {http: [{method: GET}]}
          - fromEndpoints: [{matchLabels: {app: web}}]
        """
}
