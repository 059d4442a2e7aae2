import NetpoldTestSupport
import PolicyAPI
import PolicyIR
import Testing

@testable import PolicyAnalysis

@Suite("What the proxy decides, and what the kernel does")
struct ProxyNeedTests {
    private static let pods = """
        {apiVersion: v1, kind: Pod, metadata: {name: web, namespace: shop, labels: {app: web}}, status: {podIP: 10.0.0.1}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {name: dns, namespace: shop, labels: {app: dns}}, status: {podIP: 10.0.0.2}}
        ---

        """

    @Test(
        "HTTP and DNS over TCP are the proxy's; queries over UDP and server names of TLS the kernel's",
        arguments: [
            ("http: [{method: GET}]", "80", "TCP", true), ("dns: [{matchName: a.io}]", "53", "TCP", true),
            ("dns: [{matchName: a.io}]", "53", "UDP", false), ("", "443", "TCP", false),
        ])
    func who(rules: String, port: String, protocol: String, isProxied: Bool) throws {
        let names = rules.isEmpty ? "serverNames: [api.io]" : "rules: {\(rules)}"
        let objects = decode(
            Self.pods
                + ciliumPolicy(
                    """
                    endpointSelector: {matchLabels: {app: web}}
                    egress: [{toEndpoints: [{matchLabels: {app: dns}}], toPorts: [{ports: [{port: "\(port)", protocol: \(`protocol`)}], \(names)}]}]
                    """)
        ).objects
        let answer = try evaluator(objects).answer(
            FlowText(from: "shop/web", to: "shop/dns", traffic: "\(port)/\(`protocol`)"), in: objects, request: nil)
        #expect(answer.needsProxy == isProxied && answer.passes == nil && answer.isAllowed == true)
        let text = answer.lines.map(\.text).joined(separator: "\n")
        #expect(text.hasPrefix(isProxied ? "TO PROXY shop/web" : "BY NAME shop/web"), "\(text)")
        #expect(text.contains("proxy") == isProxied, "\(text)")
    }
}
