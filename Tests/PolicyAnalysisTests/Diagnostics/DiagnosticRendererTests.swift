import NetpoldTestSupport
import PolicyAnalysis
import Testing

@Suite("Diagnostics as lines")
struct DiagnosticRendererTests {
    @Test("Every error of an object is reported, sorted by location, with the nearest name")
    func allErrors() {
        let decoded = decode(networkPolicy("podSelectr: {}\ningress: [{ports: [{protocl: UDP, port: 0}], form: []}]"))
        #expect(
            DiagnosticRenderer().render(decoded.diagnostics) == """
                p.yaml:5:3: error: spec.podSelectr: unknown field; did you mean "podSelector"?
                p.yaml:6:23: error: spec.ingress[0].ports[0].protocl: unknown field; did you mean "protocol"?
                p.yaml:6:43: error: spec.ingress[0].ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive; write a port number
                p.yaml:6:48: error: spec.ingress[0].form: unknown field; did you mean "from"?

                """)
    }

    @Test("Control characters of a manifest do not reach the terminal")
    func rendering() {
        let decoded = decode("{\"apiVersion\": \"v1\", \"kind\": \"\\u001b[31mNetworkPolicy\"}", file: "a.json")
        let text = DiagnosticRenderer().render(decoded.diagnostics)
        #expect(text.contains("\\u{1b}[31mNetworkPolicy") && !text.contains("\u{1b}"))
    }
}
