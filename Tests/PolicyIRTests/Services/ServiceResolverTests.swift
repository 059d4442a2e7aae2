import NetTypes
import NetpoldTestSupport
import PolicyAPI
import PolicyIR
import Testing

@Suite("Services: the endpoints that may be used, as kube-proxy decides it")
struct ServiceResolverTests {
    private static let nodes = """
        ---
        {apiVersion: v1, kind: Node, metadata: {name: m, labels: {topology.kubernetes.io/zone: z}}, status: {addresses: [{type: InternalIP, address: 10.1.0.1}]}}
        ---
        {apiVersion: v1, kind: Node, metadata: {name: o, labels: {topology.kubernetes.io/zone: y}}, status: {addresses: [{type: InternalIP, address: 10.1.0.2}]}}

        """

    private static func service(_ more: String = "", name: String = "s", ports: String = "[{name: a, port: 80}]")
        -> String
    {
        """
        ---
        {apiVersion: v1, kind: Service, metadata: {name: \(name), namespace: n}, spec: {clusterIP: 10.96.0.1, ports: \(ports)\(more)}}

        """
    }

    private static func slice(
        _ endpoints: String, name: String = "e", ports: String = "[{name: a, port: 8080}]", type: String = "IPv4"
    ) -> String {
        """
        ---
        {apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {name: \(name), namespace: n, labels: {kubernetes.io/service-name: s}}, addressType: \(type), ports: \(ports), endpoints: [\(endpoints)]}

        """
    }

    private func resolver(_ text: String) -> ServiceResolver {
        let decoded = decode(ServiceResolverTests.nodes + text)
        #expect(decoded.diagnostics == [])
        return ServiceResolver(decoded.objects, localNode: "m")
    }

    /// `10.96.0.1:80/TCP -> 10.0.0.1:8080` for each frontend.
    private func frontends(_ text: String, on node: String = "m") -> [String] {
        resolver(text).allFrontends(on: node).frontends.map { frontend in
            let backends = frontend.backends.map(\.description).joined(separator: " ")
            return
                "\(ServiceBackend(address: frontend.address, port: frontend.port))/\(frontend.protocol) -> \(backends)"
        }
    }

    private static let ready = "{addresses: [10.0.0.1], nodeName: m}"
    private static let unready = "{addresses: [10.0.0.2], nodeName: o, conditions: {ready: false, serving: false}}"
    private static let ending =
        "{addresses: [10.0.0.3], nodeName: o, conditions: {ready: false, serving: true, terminating: true}}"
    private static let ended =
        "{addresses: [10.0.0.4], nodeName: m, conditions: {ready: false, serving: false, terminating: true}}"

    @Test("ready endpoints; if there is none, those that serve while they terminate; else none")
    func conditions() {
        let service = Self.service()
        #expect(
            frontends(service + Self.slice([Self.ready, Self.unready, Self.ending].joined(separator: ","))) == [
                "10.96.0.1:80/TCP -> 10.0.0.1:8080"
            ])
        #expect(
            frontends(service + Self.slice([Self.unready, Self.ending, Self.ended].joined(separator: ","))) == [
                "10.96.0.1:80/TCP -> 10.0.0.3:8080"
            ])
        #expect(
            frontends(service + Self.slice([Self.unready, Self.ended].joined(separator: ","))) == [
                "10.96.0.1:80/TCP -> "
            ])
        // A frontend without endpoints stays one: it refuses.
        #expect(frontends(service + Self.slice("")) == ["10.96.0.1:80/TCP -> "])
    }

    @Test("internalTrafficPolicy Local: the node's own, with the same fallback, and none of others'")
    func local() {
        let service = Self.service(", internalTrafficPolicy: Local")
        let all = Self.slice("\(Self.ready), {addresses: [10.0.0.5], nodeName: o}, \(Self.ending)")
        #expect(frontends(service + all, on: "m") == ["10.96.0.1:80/TCP -> 10.0.0.1:8080"])
        #expect(frontends(service + all, on: "o") == ["10.96.0.1:80/TCP -> 10.0.0.5:8080"])
        #expect(
            frontends(service + Self.slice("\(Self.ready), \(Self.ending)"), on: "o") == [
                "10.96.0.1:80/TCP -> 10.0.0.3:8080"
            ])
        #expect(frontends(service + Self.slice(Self.ready), on: "o") == ["10.96.0.1:80/TCP -> "])
        // An endpoint without node is nobody's own.
        #expect(frontends(service + Self.slice("{addresses: [10.0.0.1]}"), on: "m") == ["10.96.0.1:80/TCP -> "])
    }

    @Test(
        "topology hints count only if all ready endpoints have some and one is for this node or zone; nodes before zones"
    )
    func hints() {
        func slice(_ hints: [String]) -> String {
            Self.slice(
                hints.enumerated().map { "{addresses: [10.0.0.\($0 + 1)], hints: {\($1)}}" }.joined(separator: ","))
        }
        func used(_ hints: [String]) -> Set<Int> {
            let frontend = resolver(Self.service() + slice(hints)).allFrontends(on: "m").frontends.first
            return Set((frontend?.backends ?? []).map { Int($0.address.low & 0xff) })
        }
        #expect(used(["forZones: [{name: z}]", "forZones: [{name: y}]"]) == [1])
        #expect(used(["forZones: [{name: z}, {name: y}]", "forZones: [{name: y}]"]) == [1])
        #expect(used(["forZones: [{name: z}]", ""]) == [1, 2])
        #expect(used(["forZones: [{name: y}]", "forZones: [{name: x}]"]) == [1, 2])
        #expect(
            used(["forNodes: [{name: o}], forZones: [{name: z}]", "forNodes: [{name: m}], forZones: [{name: y}]"]) == [
                2
            ])
        #expect(
            used(["forNodes: [{name: o}], forZones: [{name: z}]", "forNodes: [{name: x}], forZones: [{name: y}]"]) == [
                1
            ])
        #expect(used(["forNodes: [{name: m}]", ""]) == [1, 2])
    }

    @Test("hints of endpoints that are not ready do not matter; the fallback to terminating ones knows no hints")
    func hintsAndConditions() {
        let hinted = "{addresses: [10.0.0.1], hints: {forZones: [{name: z}]}}"
        #expect(
            frontends(Self.service() + Self.slice("\(hinted), \(Self.unready)")) == [
                "10.96.0.1:80/TCP -> 10.0.0.1:8080"
            ])
        let leaving =
            "{addresses: [10.0.0.6], conditions: {ready: false, serving: true, terminating: true}, hints: {forZones: [{name: y}]}}"
        #expect(frontends(Self.service() + Self.slice(leaving)) == ["10.96.0.1:80/TCP -> 10.0.0.6:8080"])
    }

    @Test(
        "ports belong together by name and protocol; slices may have other numbers; an endpoint in two slices counts once"
    )
    func ports() {
        let service = Self.service(ports: "[{name: a, port: 80}, {name: b, port: 53, protocol: UDP}]")
        let slices =
            Self.slice(Self.ready, ports: "[{name: a, port: 8080}, {name: b, port: 5353}]")
            + Self.slice(
                "\(Self.ready), {addresses: [10.0.0.7]}", name: "f",
                ports: "[{name: a, port: 8081}, {name: b, port: 53, protocol: UDP}]")
            + Self.slice("{addresses: [10.0.0.7]}", name: "g", ports: "[{name: a, port: 8081}]")
        #expect(
            frontends(service + slices) == [
                "10.96.0.1:53/UDP -> 10.0.0.1:53 10.0.0.7:53",
                "10.96.0.1:80/TCP -> 10.0.0.1:8080 10.0.0.1:8081 10.0.0.7:8081",
            ])
    }

    @Test("one endpoint in two slices that contradict each other: what says most for it counts, in whatever order")
    func contradiction() {
        let (ready, unready) = ("{addresses: [10.0.0.1]}", "{addresses: [10.0.0.1], conditions: {ready: false}}")
        for pair in [(ready, unready), (unready, ready)] {
            #expect(
                frontends(Self.service() + Self.slice(pair.0) + Self.slice(pair.1, name: "f")) == [
                    "10.96.0.1:80/TCP -> 10.0.0.1:8080"
                ])
        }
    }

    @Test("dual stack: each address has the endpoints of its family")
    func families() {
        let service = Self.service(", clusterIPs: [10.96.0.1, 'fd00::a']")
        let slices = Self.slice(Self.ready) + Self.slice("{addresses: ['fd00::1']}", name: "f", type: "IPv6")
        #expect(
            frontends(service + slices) == [
                "10.96.0.1:80/TCP -> 10.0.0.1:8080", "[fd00::a]:80/TCP -> [fd00::1]:8080",
            ])
    }

    @Test(
        "external addresses take any endpoint for pods, whatever the external policy; node ports of other nodes follow it"
    )
    func external() {
        let service = Self.service(
            ", type: NodePort, externalIPs: [192.0.2.1], externalTrafficPolicy: Local",
            ports: "[{name: a, port: 80, nodePort: 30080}]")
        let slices = Self.slice("\(Self.ready), {addresses: [10.0.0.5], nodeName: o}")
        #expect(
            frontends(service + slices, on: "m") == [
                "10.1.0.1:30080/TCP -> 10.0.0.1:8080 10.0.0.5:8080", "10.1.0.2:30080/TCP -> 10.0.0.5:8080",
                "10.96.0.1:80/TCP -> 10.0.0.1:8080 10.0.0.5:8080", "192.0.2.1:80/TCP -> 10.0.0.1:8080 10.0.0.5:8080",
            ])
    }

    @Test("without slices endpoints are those that the controller would make of pods")
    func derived() {
        let pods = """
            ---
            {apiVersion: v1, kind: Pod, metadata: {name: p, namespace: n, labels: {app: a}}, spec: {nodeName: m, containers: [{ports: [{name: web, containerPort: 8080}]}]}, status: {podIP: 10.0.0.1}}
            ---
            {apiVersion: v1, kind: Pod, metadata: {name: q, namespace: n, labels: {app: a}}, spec: {nodeName: o, containers: [{ports: [{name: web, containerPort: 8081}]}]}, status: {podIP: 10.0.0.2}}
            ---
            {apiVersion: v1, kind: Pod, metadata: {name: r, namespace: n, labels: {app: a}}, spec: {containers: [{ports: [{name: web, containerPort: 8082, protocol: UDP}]}]}, status: {podIP: 10.0.0.3}}
            ---
            {apiVersion: v1, kind: Pod, metadata: {name: t, namespace: n, labels: {app: a}}, spec: {containers: [{ports: [{name: web, containerPort: 8083}]}]}, status: {podIP: 10.0.0.4, phase: Succeeded}}
            ---
            {apiVersion: v1, kind: Pod, metadata: {name: u, namespace: n, labels: {app: a}}, spec: {containers: [{ports: [{name: web, containerPort: 8084}]}]}, status: {podIP: 10.0.0.5, conditions: [{type: Ready, status: "False"}]}}
            ---
            {apiVersion: v1, kind: Pod, metadata: {name: v, namespace: x, labels: {app: a}}, spec: {containers: [{ports: [{name: web, containerPort: 8085}]}]}, status: {podIP: 10.0.0.6}}
            ---
            {apiVersion: v1, kind: Pod, metadata: {name: w, namespace: n, labels: {app: a}}, spec: {nodeName: o, hostNetwork: true, containers: [{ports: [{name: web, containerPort: 8086}]}]}}

            """
        let ports = "[{name: a, port: 80, targetPort: web}]"
        #expect(
            frontends(Self.service(", selector: {app: a}", ports: ports) + pods) == [
                "10.96.0.1:80/TCP -> 10.0.0.1:8080 10.0.0.2:8081 10.1.0.2:8086"
            ])
        #expect(
            frontends(Self.service(", selector: {app: a}, publishNotReadyAddresses: true", ports: ports) + pods) == [
                "10.96.0.1:80/TCP -> 10.0.0.1:8080 10.0.0.2:8081 10.0.0.5:8084 10.1.0.2:8086"
            ])
        // A slice, even without endpoints, is the last word.
        #expect(
            frontends(Self.service(", selector: {app: a}", ports: ports) + pods + Self.slice("")) == [
                "10.96.0.1:80/TCP -> "
            ])
        // Without a selector nothing is derived.
        #expect(frontends(Self.service(ports: ports) + pods) == ["10.96.0.1:80/TCP -> "])
    }

    @Test("headless Services, aliases and those of other proxies have no frontends")
    func untranslated() {
        let slice = Self.slice(Self.ready)
        #expect(
            frontends(
                "---\n{apiVersion: v1, kind: Service, metadata: {name: s, namespace: n}, spec: {clusterIP: None, ports: [{name: a, port: 80}]}}\n"
                    + slice) == [])
        #expect(frontends(Self.service(", type: ExternalName, externalName: a.example") + slice) == [])
        #expect(
            frontends(
                "---\n{apiVersion: v1, kind: Service, metadata: {name: s, namespace: n, labels: {service.kubernetes.io/service-proxy-name: x}}, spec: {clusterIP: 10.96.0.1, ports: [{name: a, port: 80}]}}\n"
                    + slice) == [])
    }

    @Test("of two Services that claim an address and port the first by kind and name has it, and the other is told")
    func conflicts() throws {
        let first = Self.service(", externalIPs: [10.96.0.9]", name: "t")
        let second =
            "---\n{apiVersion: v1, kind: Service, metadata: {name: a, namespace: n}, spec: {clusterIP: 10.96.0.2, externalIPs: [10.96.0.1, 10.96.0.9], ports: [{name: a, port: 80}]}}\n"
        let resolver = resolver(first + second)
        let (all, diagnostics) = resolver.allFrontends()
        #expect(
            all.map { "\($0.address) \($0.service)" } == ["10.96.0.1 n/t", "10.96.0.2 n/a", "10.96.0.9 n/a"])
        #expect(
            diagnostics.map(\.message) == [
                "external IP 10.96.0.1 port 80/TCP of Service n/a is also cluster IP of Service n/t, which has it",
                "external IP 10.96.0.9 port 80/TCP of Service n/t is also external IP of Service n/a, which has it",
            ])
        let key = ServiceFrontend.Key(address: try #require(IPAddress(parsing: "10.96.0.1")), port: 80, protocol: .tcp)
        #expect(resolver.frontend(key)?.service.name == "t")
    }

    @Test("the order of objects does not matter")
    func order() {
        let text =
            Self.service() + Self.service(", externalIPs: [192.0.2.1]", name: "t")
            + Self.slice(Self.ready) + Self.slice("{addresses: [10.0.0.9]}", name: "f")
        var objects = decode(ServiceResolverTests.nodes + text).objects
        let before = ServiceResolver(objects, localNode: "m").allFrontends().frontends
        objects.services.reverse()
        objects.endpointSlices.reverse()
        objects.nodes.reverse()
        #expect(ServiceResolver(objects, localNode: "m").allFrontends().frontends == before)
        #expect(before.count == 2)
    }
}
