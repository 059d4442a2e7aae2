import NetpoldTestSupport
import Testing

@testable import PolicyAPI

@Suite("Lint: DNS, ports, addresses")
struct PortAndNameLintTests {
    private func policy(_ spec: String, name: String = "p") -> String {
        "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: \(name), namespace: shop}\nspec: \(spec)\n---\n"
    }

    private func cilium(_ spec: String, name: String = "p") -> String {
        "apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {name: \(name), namespace: shop}\nspec: \(spec)\n---\n"
    }

    private func egress(_ rules: String, _ selector: String = "{matchLabels: {app: web}}", name: String = "p") -> String
    {
        policy("{podSelector: \(selector), policyTypes: [Egress], egress: [\(rules)]}", name: name)
    }

    private let toDB = "{to: [{podSelector: {matchLabels: {app: db}}}], ports: [{port: 5432}]}"
    private let dns = "{ports: [{port: 53, protocol: UDP}, {port: 53, protocol: TCP}]}"

    @Test("Egress to pods without DNS is reported; DNS in any policy of the same pods is enough")
    func egressWithoutDNS() {
        #expect(lint(egress(toDB), .egressWithoutDNS).count == 1)
        #expect(lint(egress("\(toDB), \(dns)"), .egressWithoutDNS) == [])
        #expect(lint(egress(toDB) + egress(dns, "{}", name: "dns"), .egressWithoutDNS) == [])
        #expect(
            lint(egress(toDB) + egress(dns, "{matchLabels: {app: other}}", name: "dns"), .egressWithoutDNS).count == 1)
    }

    @Test("Port 53 over TCP alone does not help; over UDP alone it is a note")
    func oneProtocol() {
        let tcp = lint(egress("\(toDB), {ports: [{port: 53}]}"))
        #expect(tcp.map(\.severity) == [.warning])
        #expect(tcp.first?.hint.contains("ports without protocol are TCP") == true)
        #expect(lint(egress("\(toDB), {ports: [{port: 53, protocol: UDP}]}")).map(\.severity) == [.note])
    }

    @Test("DNS that known pods get from another policy counts; one pod without it is named")
    func knownPods() {
        let web = pod("web", "app: web, dns: please")
        let byLabel = egress(dns, "{matchLabels: {dns: please}}", name: "dns")
        #expect(lint(web + egress(toDB) + byLabel, .egressWithoutDNS) == [])
        let found = lint(web + pod("web2", "app: web") + egress(toDB) + byLabel, .egressWithoutDNS)
        #expect(found.count == 1)
        #expect(found.first?.contains("for example shop/web2") == true)
    }

    @Test("One missing DNS policy is reported once, at the widest policy")
    func once() {
        let all = egress(toDB, "{}", name: "a") + egress(toDB, name: "b") + egress(toDB, name: "c")
        #expect(lint(all, .egressWithoutDNS).count == 1)
    }

    @Test(
        "Policies that allow nothing out, only addresses, or everything, need no DNS rule",
        arguments: ["", "{to: [{ipBlock: {cidr: 203.0.113.7/32}}]}", "{}"])
    func noNames(_ rules: String) {
        #expect(lint(egress(rules), .egressWithoutDNS) == [])
    }

    @Test("A Cilium policy may allow DNS by a dns rule, a named port or an entity")
    func ciliumDNS() {
        let head = "endpointSelector: {matchLabels: {app: web}}, egress: [{toEndpoints: [{matchLabels: {app: db}}]}"
        #expect(lint(cilium("{\(head)]}"), .egressWithoutDNS).count == 1)
        let ports = "ports: [{port: \"53\", protocol: ANY}], rules: {dns: [{matchPattern: \"*\"}]}"
        #expect(lint(cilium("{\(head), {toPorts: [{\(ports)}]}]}"), .egressWithoutDNS) == [])
        let named = "{toPorts: [{ports: [{port: dns, protocol: UDP}, {port: dns-tcp, protocol: TCP}]}]}"
        #expect(lint(cilium("{\(head), \(named)]}"), .egressWithoutDNS) == [])
        #expect(lint(cilium("{\(head), {toEntities: [cluster]}]}"), .egressWithoutDNS) == [])
        // Everything to pods that hold DNS.
        let all = "{toEndpoints: [{matchLabels: {k8s:io.kubernetes.pod.namespace: kube-system}}]}"
        #expect(lint(cilium("{\(head), \(all)]}"), .egressWithoutDNS) == [])
    }

    private func fqdn(_ selector: String, dns: String) -> String {
        let rule = dns.isEmpty ? "" : ", rules: {dns: [\(dns)]}"
        return cilium(
            "{endpointSelector: {matchLabels: {app: web}}, egress: [{toFQDNs: [\(selector)]}, "
                + "{toEntities: [cluster], toPorts: [{ports: [{port: \"53\", protocol: ANY}]\(rule)}]}]}")
    }

    @Test(
        "A name needs a DNS rule that matches it",
        arguments: [
            ("{matchName: api.example.com}", ""), ("{matchName: api.example.com}", "{matchName: www.example.com}"),
            ("{matchPattern: \"**.example.com\"}", "{matchPattern: \"*.example.com\"}"),
            ("{matchName: example.com}", "{matchPattern: \"*.example.com\"}"),
        ])
    func unobserved(_ selector: String, _ dns: String) {
        let found = lint(fqdn(selector, dns: dns), .fqdnWithoutDNSRule)
        #expect(found.count == 1)
        #expect(found.first?.contains("spec.egress[0].toFQDNs[0]") == true)
    }

    @Test(
        "A DNS rule that matches the name, or any name, observes it",
        arguments: [
            ("{matchName: api.example.com}", "{matchName: api.example.com}"),
            ("{matchName: api.example.com}", "{matchPattern: \"*\"}"),
            ("{matchName: api.example.com}", "{matchPattern: \"*.example.com\"}"),
            ("{matchPattern: \"*.example.com\"}", "{matchPattern: \"**.example.com\"}"),
        ])
    func observed(_ selector: String, _ dns: String) {
        #expect(lint(fqdn(selector, dns: dns), .fqdnWithoutDNSRule) == [])
    }

    @Test("HTTP rules on a port of TLS, by number or name; server names and plain ports are fine")
    func httpOnTLS() {
        let rule = { (port: String, rest: String) in
            self.cilium(
                "{endpointSelector: {}, ingress: [{toPorts: [{ports: [{port: \"\(port)\", protocol: TCP}], \(rest)}]}]}"
            )
        }
        let http = "rules: {http: [{method: GET}]}"
        for port in ["443", "8443", "https", "web-tls"] { #expect(lint(rule(port, http), .httpOnTLSPort).count == 1) }
        for port in ["80", "8080", "http", "settlsment"] { #expect(lint(rule(port, http), .httpOnTLSPort) == []) }
        #expect(lint(rule("443", "serverNames: [a.example.com]"), .httpOnTLSPort) == [])
    }

    @Test("server names where UDP seems to be allowed: QUIC is not; ports of TCP and rules without names are fine")
    func serverNamesNotQUIC() {
        let rule = { (port: String, rest: String) in
            self.cilium("{endpointSelector: {}, egress: [{toPorts: [{ports: [{port: \"443\"\(port)}]\(rest)}]}]}")
        }
        let names = ", serverNames: [a.example.com]"
        for port in ["", ", protocol: ANY", ", protocol: UDP"] {
            #expect(lint(rule(port, names), .serverNamesNotQUIC).count == 1)
            #expect(lint(rule(port, ""), .serverNamesNotQUIC) == [])
        }
        #expect(lint(rule(", protocol: TCP", names), .serverNamesNotQUIC) == [])
    }

    private let service =
        "apiVersion: v1\nkind: Service\nmetadata: {name: web, namespace: shop}\nspec: {selector: {app: web}, ports: [{port: 80, targetPort: http}]}\n---\n"

    private func ingress(_ port: String) -> String {
        policy("{podSelector: {matchLabels: {app: web}}, ingress: [{ports: [{port: \(port)}]}]}")
    }

    @Test("The port of a Service is reported where its pods listen on another, for either direction")
    func servicePort() {
        let web = pod("web", "app: web", ports: "{name: http, containerPort: 8080}")
        #expect(lint(service + web + ingress("80"), .servicePort).count == 1)
        #expect(lint(service + web + ingress("8080"), .servicePort) == [])
        #expect(lint(service + web + ingress("http"), .servicePort) == [])
        let out = egress("{to: [{podSelector: {matchLabels: {app: web}}}], ports: [{port: 80}]}, \(dns)", "{}")
        #expect(lint(service + web + out, .servicePort).count == 1)
        // Nobody knows what stands behind an address.
        #expect(lint(service + web + egress("{ports: [{port: 80}]}, \(dns)", "{}"), .servicePort) == [])
    }

    @Test("A port that some selected pod declares, or another Service leads to, is a port of pods")
    func servicePortOfPods() {
        let both = pod("web", "app: web", ports: "{name: http, containerPort: 8080}, {name: old, containerPort: 80}")
        #expect(lint(service + both + ingress("80"), .servicePort) == [])
        let web = pod("web", "app: web", ports: "{name: http, containerPort: 8080}")
        let second = service.replacing("name: web,", with: "name: web2,").replacing(
            "targetPort: http", with: "targetPort: 80")
        #expect(lint(service + second + web + ingress("80"), .servicePort) == [])
        #expect(lint(pod("db", "app: db") + service + ingress("80"), .servicePort) == [])
    }

    @Test("A port name that no selected pod has, with what they have")
    func portName() {
        let web = pod(
            "web", "app: web", ports: "{name: http, containerPort: 8080}, {name: dns, containerPort: 53, protocol: UDP}"
        )
        #expect(lint(web + ingress("htp"), .unknownPortName).first?.hasSuffix("did you mean http?") == true)
        #expect(
            lint(web + ingress("dns"), .unknownPortName).first?.hasSuffix("dns is a UDP port of these pods") == true
        )
        #expect(lint(web + ingress("http"), .unknownPortName) == [])
        // Without pods nobody knows their ports.
        #expect(lint(ingress("htp"), .unknownPortName) == [])
    }

    @Test("A Cilium CIDR that covers pods, nodes or Services is reported; the world, exceptions and ipBlock are not")
    func cidr() {
        let pods =
            "apiVersion: v1\nkind: Pod\nmetadata: {name: db, namespace: shop}\nstatus: {podIP: 10.20.0.12}\n---\n"
            + "apiVersion: v1\nkind: Node\nmetadata: {name: n}\nstatus: {addresses: [{type: InternalIP, address: 192.168.1.5}]}\n---\n"
            + "apiVersion: v1\nkind: Service\nmetadata: {name: s, namespace: shop}\nspec: {clusterIP: 10.96.0.10}\n---\n"
        let from = { (cidr: String) in self.cilium("{endpointSelector: {}, ingress: [{\(cidr)}]}") }
        for (cidr, owner) in [
            ("10.20.0.0/16", "10.20.0.12 of pod shop/db"), ("10.20.0.12/32", "pod shop/db"),
            ("192.168.0.0/16", "node n"),
            ("10.96.0.0/12", "Service shop/s"),
        ] {
            #expect(lint(pods + from("fromCIDR: [\(cidr)]"), .cidrCoversCluster).first?.contains(owner) == true)
        }
        for cidr in [
            "fromCIDR: [0.0.0.0/0]", "fromCIDR: [203.0.113.0/24]",
            "fromCIDRSet: [{cidr: 10.20.0.0/16, except: [10.20.0.0/24]}]",
        ] {
            #expect(lint(pods + from(cidr), .cidrCoversCluster) == [], "\(cidr)")
        }
        #expect(
            lint(
                pods + policy("{podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 10.20.0.0/16}}]}]}"),
                .cidrCoversCluster)
                == [])
    }

    @Test("kube-apiserver without its slice: an error where it is denied, a note where it is allowed")
    func apiServer() {
        let allow = cilium("{endpointSelector: {}, egress: [{toEntities: [kube-apiserver]}]}")
        let deny = cilium(
            "{endpointSelector: {}, enableDefaultDeny: {egress: false}, egressDeny: [{toEntities: [kube-apiserver]}]}")
        #expect(lint(allow).filter { $0.id == .apiServerUnknown }.map(\.severity) == [.note])
        #expect(lint(deny).filter { $0.id == .unresolved }.map(\.severity) == [.error])
        let slice =
            "apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {name: k, namespace: default, labels: {kubernetes.io/service-name: kubernetes}}\naddressType: IPv4\nendpoints: [{addresses: [192.0.2.10]}]\n---\n"
        #expect(lint(slice + allow, .apiServerUnknown) == [] && lint(slice + deny, .unresolved) == [])
    }
}
