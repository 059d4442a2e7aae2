import Testing

@testable import PolicyAPI
@testable import PolicyAnalysis
@testable import PolicyIR

@Suite("Lint: places and counts")
struct LintPlaceTests {
    @Test("A diagnostic points at the exact value, also in a list of objects, and at its rule without documents")
    func places() {
        let text = """
            apiVersion: v1
            kind: List
            items:
              - apiVersion: cilium.io/v2
                kind: CiliumNetworkPolicy
                metadata: {name: p, namespace: shop}
                specs:
                  - endpointSelector: {}
                    ingress:
                      - toPorts:
                          - ports:
                              - port: "80"
                              - port: "443"
                                protocol: TCP
                            rules:
                              http: [{method: GET}]
            """.replacing("- port: \"80\"", with: "- {port: \"80\", protocol: TCP}")
        #expect(
            lint(text, .httpOnTLSPort).first?.hasPrefix("13:27 specs[0].ingress[0].toPorts[0].ports[1].port:") == true)
        var decoder = ManifestDecoder()
        decoder.add(Array(text.utf8), file: "p.yaml")
        let decoded = decoder.finish()
        let found = Linter.lint(decoded, lowered: PolicyLowering.lower(decoded.objects))
        #expect(found.map { $0.location?.line } == [8])
    }

    @Test("Only the error of a policy with an error is reported")
    func refused() {
        let text = """
            apiVersion: cilium.io/v2
            kind: CiliumNetworkPolicy
            metadata: {name: p, namespace: shop}
            spec: {endpointSelector: {}, ingress: [{}], egres: []}
            """
        #expect(lint(text).map(\.id) == [.unknownField])
    }

    @Test("The diagnostics about a repeated mistake are limited")
    func limit() {
        let rules = Array(
            repeating: "{toPorts: [{ports: [{port: \"443\", protocol: TCP}], rules: {http: [{method: GET}]}}]}",
            count: 50)
        let text = """
            apiVersion: cilium.io/v2
            kind: CiliumNetworkPolicy
            metadata: {name: p, namespace: shop}
            spec: {endpointSelector: {}, ingress: [\(rules.joined(separator: ", "))]}
            """
        #expect(lint(text, .httpOnTLSPort).count == 20)
    }
}
