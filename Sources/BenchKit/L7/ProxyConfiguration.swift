import Foundation

/// The same work for each proxy: three patterns of paths, and a line of an access log in a file for each request, which says when, what
/// was decided, how long it took, who asked whom, and for what.
struct ProxyConfiguration {
    let folder: String
    let port: UInt16
    let server: UInt16

    /// As policies write them.
    static let patterns = ["/api/v2/users.*", "/api/v2/orders/[0-9]+", "/health"]

    /// Where requests are logged.
    func accessLog(_ kind: MeasuredProxy.Kind) -> String { "\(folder)/\(kind.rawValue).log" }

    /// Writes the configuration.
    ///
    /// - Returns: the command.
    func arguments(_ kind: MeasuredProxy.Kind, program: String) throws -> [String] {
        _ = FileManager.default.createFile(atPath: accessLog(kind), contents: nil)
        switch kind {
        case .netpold:
            let path = try write("policy.yaml", policy)
            return [
                program, "proxy", "--listen", "127.0.0.1:\(port)", "--to", "127.0.0.1:\(server)", "-f", path, "--pod",
                "shop/api", "--port", "80", "--loops", "1", "--access-log", accessLog(kind), "--access-log-format",
                "json",
            ]
        case .envoy:
            let path = try write("envoy.yaml", envoy)
            return [program, "-c", path, "--concurrency", "1", "--log-level", "error", "--use-dynamic-base-id"]
        case .haproxy:
            let path = try write("haproxy.cfg", haproxy)
            return [program, "-db", "-f", path]
        }
    }

    private func write(_ name: String, _ text: String) throws -> String {
        let path = "\(folder)/\(name)"
        // haproxy refuses a file whose last line has no end.
        try "\(text)\n".write(toFile: path, atomically: true, encoding: .utf8)
        return path
    }

    private var policy: String {
        """
        apiVersion: v1
        kind: Pod
        metadata: {name: api, namespace: shop, labels: {app: api}}
        ---
        apiVersion: cilium.io/v2
        kind: CiliumNetworkPolicy
        metadata: {name: api, namespace: shop}
        spec:
          endpointSelector: {matchLabels: {app: api}}
          ingress:
          - toPorts:
            - ports: [{port: "80", protocol: TCP}]
              rules:
                http:
        \(ProxyConfiguration.patterns.map { "        - {method: GET, path: \"\($0)\"}" }.joined(separator: "\n"))
        """
    }

    private var haproxy: String {
        """
        global
          nbthread 1
          maxconn 4096
          log stdout format raw local0
        defaults
          mode http
          timeout connect 5s
          timeout client 60s
          timeout server 60s
          timeout http-keep-alive 60s
        frontend f
          bind 127.0.0.1:\(port)
          log global
          http-request capture req.hdr(host) len 64
          log-format "{\\"time\\":\\"%t\\",\\"decision\\":\\"%ts\\",\\"status\\":%ST,\\"ms\\":%Ta,\\"client\\":\\"%ci:%cp\\",\\"server\\":\\"%si:%sp\\",\\"method\\":\\"%HM\\",\\"host\\":\\"%[capture.req.hdr(0)]\\",\\"path\\":\\"%HP\\"}"
          acl get method GET
        \(ProxyConfiguration.patterns.map { "  acl path_ok path_reg ^\($0)$" }.joined(separator: "\n"))
          http-request return status 403 content-type text/plain string "Access denied\\r\\n" unless get path_ok
          default_backend b
        backend b
          server s 127.0.0.1:\(server)
        """
    }

    private var envoy: String {
        let policies = ProxyConfiguration.patterns.enumerated().map { index, pattern in
            """
                              rule\(index):
                                principals: [{any: true}]
                                permissions:
                                - and_rules:
                                    rules:
                                    - header: {name: ":method", string_match: {exact: GET}}
                                    - url_path: {path: {safe_regex: {regex: "\(pattern)"}}}
            """
        }
        return """
            static_resources:
              listeners:
              - address: {socket_address: {address: 127.0.0.1, port_value: \(port)}}
                filter_chains:
                - filters:
                  - name: envoy.filters.network.http_connection_manager
                    typed_config:
                      "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
                      stat_prefix: bench
                      access_log:
                      - name: envoy.access_loggers.file
                        typed_config:
                          "@type": type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog
                          path: \(accessLog(.envoy))
                          log_format:
                            text_format_source:
                              inline_string: "{\\"time\\":\\"%START_TIME%\\",\\"decision\\":\\"%RESPONSE_CODE_DETAILS%\\",\\"status\\":%RESPONSE_CODE%,\\"ms\\":%DURATION%,\\"client\\":\\"%DOWNSTREAM_REMOTE_ADDRESS%\\",\\"server\\":\\"%UPSTREAM_HOST%\\",\\"method\\":\\"%REQ(:METHOD)%\\",\\"host\\":\\"%REQ(:AUTHORITY)%\\",\\"path\\":\\"%REQ(:PATH)%\\"}\\n"
                      http_filters:
                      - name: envoy.filters.http.rbac
                        typed_config:
                          "@type": type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC
                          rules:
                            action: ALLOW
                            policies:
            \(policies.joined(separator: "\n"))
                      - name: envoy.filters.http.router
                        typed_config:
                          "@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router
                      route_config:
                        virtual_hosts:
                        - name: all
                          domains: ["*"]
                          routes:
                          - match: {prefix: "/"}
                            route: {cluster: server}
              clusters:
              - name: server
                connect_timeout: 5s
                type: STATIC
                load_assignment:
                  cluster_name: server
                  endpoints:
                  - lb_endpoints:
                    - endpoint: {address: {socket_address: {address: 127.0.0.1, port_value: \(server)}}}
            """
    }
}
