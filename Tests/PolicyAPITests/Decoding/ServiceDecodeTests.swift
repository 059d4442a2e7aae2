import NetTypes
import NetpoldTestSupport
import PolicyAPI
import Testing

@Suite("Services and EndpointSlices are read as nodes read them")
struct ServiceDecodeTests {
    private func service(_ spec: String, status: String = "{}") throws -> (service: Service, warnings: [String]) {
        let decoded = decode(
            "apiVersion: v1\nkind: Service\nmetadata: {name: s, namespace: n}\nspec: \(spec)\nstatus: \(status)\n")
        #expect(decoded.errors == [])
        return (try #require(decoded.objects.services.first), decoded.warnings)
    }

    @Test("every field that decides where a Service is reached")
    func everything() throws {
        let (service, warnings) = try service(
            """
            {type: LoadBalancer, clusterIP: 10.96.0.1, clusterIPs: [10.96.0.1, "fd00::1"], externalIPs: [192.0.2.1],
             selector: {app: a}, sessionAffinity: ClientIP, sessionAffinityConfig: {clientIP: {timeoutSeconds: 5}},
             internalTrafficPolicy: Local, externalTrafficPolicy: Local, publishNotReadyAddresses: true,
             trafficDistribution: PreferClose, ports: [
               {name: a, port: 80, targetPort: http, nodePort: 30080},
               {name: b, port: 53, protocol: UDP, targetPort: 5353}, {name: c, port: 9, protocol: SCTP}]}
            """,
            status:
                "{loadBalancer: {ingress: [{ip: 192.0.2.2}, {ip: 192.0.2.3, ipMode: VIP}, {ip: 192.0.2.4, ipMode: Proxy}, {hostname: x}]}}"
        )
        #expect(warnings == [])
        #expect(service.kind == .loadBalancer && !service.isHeadless && service.isTranslated)
        #expect(service.clusterIPs.map(\.description) == ["10.96.0.1", "fd00::1"])
        #expect(service.externalIPs.map(\.description) == ["192.0.2.1"])
        #expect(service.loadBalancerIPs.map(\.description) == ["192.0.2.2", "192.0.2.3"])
        #expect(service.affinitySeconds == 5 && service.publishesNotReady)
        #expect(service.internalPolicy == .local && service.externalPolicy == .local)
        #expect(service.trafficDistribution == "PreferClose")
        #expect(
            service.ports == [
                ServicePort(
                    name: "a", protocol: .tcp, port: 80, target: .named("http"), nodePort: 30080),
                ServicePort(name: "b", protocol: .udp, port: 53, target: .number(5353)),
                ServicePort(name: "c", protocol: .sctp, port: 9, target: .number(9)),
            ])
    }

    @Test("what is absent has the API's defaults")
    func defaults() throws {
        let plain = try service(
            "{clusterIP: '', sessionAffinity: ClientIP, ports: [{port: 80, targetPort: 0, nodePort: 0}]}")
        #expect(plain.warnings == [])
        #expect(plain.service.affinitySeconds == 10_800)
        #expect(plain.service.ports == [ServicePort(protocol: .tcp, port: 80, target: .number(80))])
        #expect(plain.service.clusterIPs.isEmpty && plain.service.isTranslated)
        let headless = try service("{clusterIP: None, clusterIPs: [None]}").service
        #expect(headless.isHeadless && !headless.isTranslated && headless.clusterIPs.isEmpty)
        let alias = try service("{type: ExternalName, externalName: A.Example., selector: {a: b}}").service
        #expect(alias.kind == .externalName("a.example") && alias.selector.isEmpty && !alias.isTranslated)
    }

    @Test(
        "what the API server would refuse is left out, with its path and what to write",
        arguments: [
            (
                "{ports: [{port: 70000}]}",
                "spec.ports[0].port: the number 70000 is not a port number, so the port is left out"
            ),
            (
                "{ports: [{port: http}]}",
                "spec.ports[0].port: the string \"http\" is not a port number, so the port is left out"
            ),
            ("{ports: [{targetPort: 1}]}", "spec.ports[0]: the port has no number, so it is left out"),
            ("{ports: [80]}", "spec.ports[0]: a port of a Service is a map, not the number 80; it is left out"),
            (
                "{ports: [{port: 1, protocol: tcp}]}",
                "spec.ports[0].protocol: the string \"tcp\" is not a protocol of Services, so the port is left out"
            ),
            (
                "{ports: [{port: 1, targetPort: 65536}]}",
                "spec.ports[0].targetPort: the number 65536 is not a port number, so the port is left out"
            ),
            (
                "{ports: [{name: a, port: 1}, {name: b, port: 1}]}",
                "spec.ports[1]: the Service has port 1/TCP twice; this one is left out"
            ),
            (
                "{ports: [{port: 1}, {port: 2}]}",
                "spec.ports[1]: a Service with several ports needs a name for each; this one is left out"
            ),
            (
                "{ports: [{name: a, port: 1}, {name: a, port: 2}]}",
                "spec.ports[1]: two ports have the name \"a\"; this one is left out"
            ),
            ("{clusterIP: 10.96}", "spec.clusterIP: the number 10.96 is not an IP address; it is left out"),
            ("{externalIPs: [x]}", "spec.externalIPs[0]: the string \"x\" is not an IP address; it is left out"),
            (
                "{type: Clusterip}",
                "spec.type: the string \"Clusterip\" is not a type of Services; it is read as ClusterIP"
            ),
            (
                "{internalTrafficPolicy: local}",
                "spec.internalTrafficPolicy: the string \"local\" is not a traffic policy; it is read as Cluster"
            ),
            (
                "{sessionAffinity: Cookie}",
                "spec.sessionAffinity: the string \"Cookie\" is no affinity; the Service is read without"
            ),
            (
                "{sessionAffinity: ClientIP, sessionAffinityConfig: {clientIP: {timeoutSeconds: 0}}}",
                "spec.sessionAffinityConfig.clientIP.timeoutSeconds: the number 0 is not a time of affinity; it is read as 10800"
            ),
        ])
    func faults(spec: String, warning: String) throws {
        #expect(try service(spec).warnings == [warning])
    }

    @Test("a slice: conditions that are unknown, hints, ports without number, and names in place of addresses")
    func slices() throws {
        let decoded = decode(
            """
            apiVersion: discovery.k8s.io/v1
            kind: EndpointSlice
            metadata: {name: e, namespace: n, labels: {kubernetes.io/service-name: s}}
            addressType: IPv4
            ports: [{name: a, port: 8080, protocol: TCP}, {name: null, port: 53, protocol: UDP}, {name: b, port: null}]
            endpoints:
            - {addresses: [10.0.0.1], conditions: {ready: null}, nodeName: m, zone: z, hints: {forZones: [{name: z}], forNodes: [{name: m}]}}
            - {addresses: [10.0.0.2], conditions: {ready: false, serving: true, terminating: true}}
            ---
            apiVersion: discovery.k8s.io/v1
            kind: EndpointSlice
            metadata: {name: f, namespace: n, labels: {kubernetes.io/service-name: s}}
            addressType: FQDN
            endpoints: [{addresses: [x.example]}]
            """)
        #expect(decoded.diagnostics == [])
        let slice = try #require(decoded.objects.endpointSlices.first)
        #expect(
            slice.ports == [
                EndpointPort(name: "a", protocol: .tcp, port: 8080), EndpointPort(protocol: .udp, port: 53),
            ])
        let first = try #require(slice.endpoints.first)
        #expect(first.isReady && first.isServing && !first.isTerminating && first.nodeName == "m" && first.zone == "z")
        #expect(first.zoneHints == ["z"] && first.nodeHints == ["m"] && first.location?.line == 7)
        let second = slice.endpoints[1]
        #expect(!second.isReady && second.isServing && second.isTerminating)
        #expect(decoded.objects.endpointSlices[1].endpoints.isEmpty)
    }

    @Test("a Pod says whether it is ready and whether it is on its way out")
    func pods() {
        let decoded = decode(
            """
            {apiVersion: v1, kind: Pod, metadata: {name: a}}
            ---
            {apiVersion: v1, kind: Pod, metadata: {name: b, deletionTimestamp: "2026-01-01T00:00:00Z"}, status: {conditions: [{type: Ready, status: "False"}]}}
            ---
            {apiVersion: v1, kind: Pod, metadata: {name: c}, status: {conditions: [{type: Ready, status: "True"}]}}
            """)
        #expect(decoded.objects.pods.map(\.isReady) == [true, false, true])
        #expect(decoded.objects.pods.map(\.isTerminating) == [false, true, false])
    }
}
