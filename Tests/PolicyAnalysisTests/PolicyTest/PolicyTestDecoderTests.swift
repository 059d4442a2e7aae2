import NetTypes
import NetpoldTestSupport
import PolicyAPI
import PolicyAnalysis
import PolicyIR
import Testing

struct PolicyTestDecoderTests {
    private func decode(_ text: String) -> (tests: [PolicyTest], messages: [String]) {
        let output = DocumentReader.read(Array(text.utf8), file: "test.yaml")
        let (tests, diagnostics) = PolicyTestDecoder.decode(output.documents)
        return (tests, (output.diagnostics + diagnostics).map(DiagnosticRenderer().render))
    }

    private static let head = """
        apiVersion: netpold.dev/v1alpha1
        kind: PolicyTest
        metadata: {name: t}
        spec:
          manifests: [cluster.yaml, policies.yaml]

        """

    @Test("cases, names and matrices are read with their places")
    func whole() throws {
        let (tests, messages) = decode(
            PolicyTestDecoderTests.head + """
                  names: {"API.example.com.": ["192.0.2.7"]}
                  cases:
                  - {"from": "a/x", "to": "ip:192.0.2.7", "protocol": "TCP", "port": 80, "http": {"method": "PUT"}, "expect": "deny", "egress": "allow"}
                  - {"from": "host", "to": "a/x", "protocol": "ICMP", "icmpType": 8, "ingress": "allow"}
                  matrix:
                  - traffic: UDP:53
                    denied: ["a/x>a/y"]
                """)
        #expect(messages == [])
        let test = try #require(tests.first)
        #expect(test.manifests == ["cluster.yaml", "policies.yaml"])
        #expect(test.names == ["api.example.com": [try #require(IPAddress(parsing: "192.0.2.7"))]])
        #expect(test.cases.map { "\($0.flow)" } == ["a/x -> ip:192.0.2.7 TCP 80", "host -> a/x ICMP type 8"])
        #expect(test.cases.map(\.expect) == [.deny, nil])
        #expect(test.cases.map(\.egress) == [.allow, nil])
        #expect(test.cases[0].request == .http(HTTPRequest(method: "PUT", path: "/", host: "", headers: [])))
        #expect(test.cases[1].location.line == 9)
        #expect(test.matrix.map(\.port) == [53])
        #expect(test.matrix[0].denied == [.init(from: "a/x", to: "a/y")])
    }

    @Test(
        "errors are reported with location and path, and the test is not used",
        arguments: [
            (
                "cases: [{from: nobody, to: a/x, protocol: TCP, port: 1, expect: allow}]",
                "test.yaml:6:18: error: spec.cases[0].from: from is not an end of a flow"
            ),
            (
                "cases: [{from: a/y, to: a/x, protocol: GRE, port: 1, expect: allow}]",
                "error: spec.cases[0].protocol: protocol must be"
            ),
            (
                "cases: [{from: a/y, to: a/x, port: 1, expect: allow}]",
                "error: spec.cases[0]: a flow requires `protocol`; write protocol: with TCP"
            ),
            (
                "cases: [{from: a/y, to: a/x, protocol: TCP, port: 65536, expect: allow}]",
                "error: spec.cases[0].port: TCP requires `port`, a number up to 65535"
            ),
            (
                "cases: [{from: a/y, to: a/x, protocol: ICMP, icmpType: 256, expect: allow}]",
                "error: spec.cases[0].icmpType: ICMP requires `icmpType`, a number up to 255"
            ),
            (
                "cases: [{from: a/y, to: a/x, protocol: TCP, port: 1}]",
                "error: spec.cases[0]: the case has no expectation"
            ),
            (
                "cases: [{from: a/y, to: a/x, protocol: TCP, port: 1, expect: maybe}]",
                "error: spec.cases[0].expect: the verdict must be allow or deny"
            ),
            (
                "cases: [{from: a/y, to: a/x, protocol: TCP, port: 1, expect: deny, exepct: deny}]",
                "error: spec.cases[0].exepct: unknown field; did you mean \"expect\"?"
            ),
            ("matrix: [{traffic: 80, denied: []}]", "error: spec.matrix[0].traffic: traffic must have the form"),
            (
                "matrix: [{traffic: TCP:80, denied: [a/x]}]",
                "error: spec.matrix[0].denied[0]: a pair must have the form"
            ),
            (
                "matrix: [{traffic: TCP:80, denied: ['host>a/x']}]",
                "error: spec.matrix[0].denied[0]: a pair must have the form"
            ),
            (
                "matrix: [{traffic: TCP:80, denied: ['a/x>a/x']}]",
                "error: spec.matrix[0].denied[0]: a pair must have the form"
            ),
            ("cases: []", "error: spec: the test has no cases and no matrix, so it tests nothing"),
            ("cases:\n  # - {from: a/x}", "error: spec: the test has no cases and no matrix, so it tests nothing"),
            ("localNode: n", "error: spec: the test has no cases and no matrix, so it tests nothing"),
            ("names: {a: [nowhere]}", "error: spec.names.a[0]: the string \"nowhere\" is not an IP address"),
        ])
    func wrong(spec: String, message: String) {
        let (tests, messages) = decode(PolicyTestDecoderTests.head + "  \(spec)\n")
        #expect(tests.isEmpty)
        #expect(messages.count == 1)
        #expect(messages.first?.contains(message) == true, "\(messages)")
    }

    @Test(
        "a pair of a matrix may have the arrow of printed flows",
        arguments: ["a/x>a/y", "a/x->a/y", "a/x -> a/y", "a/x > a/y"])
    func pair(text: String) {
        let (tests, messages) = decode(
            PolicyTestDecoderTests.head + "  matrix: [{traffic: TCP:80, denied: ['\(text)']}]\n")
        #expect(messages == [])
        #expect(tests.first?.matrix.first?.denied == [.init(from: "a/x", to: "a/y")])
    }

    @Test("a document of another kind is refused")
    func otherKind() {
        #expect(decode("kind: Pod\napiVersion: v1\n").messages.count == 1)
    }

    @Test(
        "a port and a protocol are read in either order",
        arguments: [
            ("80/TCP", "TCP 80"), ("tcp/80", "TCP 80"), ("UDP:53", "UDP 53"), ("80", "TCP 80"), ("ICMP/8", "ICMP 8"),
            ("128/icmpv6", "ICMPv6 128"), ("ICMP/256", nil), ("80/80", nil), ("TCP", nil), ("65536/TCP", nil),
            ("a/b/c", nil),
            ("/TCP", nil),
        ] as [(String, String?)])
    func traffic(text: String, meaning: String?) {
        #expect(TrafficName(parsing: text).map { "\($0.protocol) \($0.port)" } == meaning)
    }

    @Test(
        "the ends of a flow are read as they are written",
        arguments: [
            ("shop/web", true), ("ip:10.0.0.1", true), ("ip:fd00::1", true), ("host", true), ("remote-node", true),
            ("ip:10.0.0", false), ("10.0.0.1", false), ("shop/", false), ("/web", false), ("a/b/c", false), ("", false),
        ])
    func ends(text: String, isEnd: Bool) {
        #expect(FlowEnd(parsing: text)?.description == (isEnd ? text : nil))
    }
}
