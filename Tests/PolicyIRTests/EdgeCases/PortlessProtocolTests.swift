import NetpoldTestSupport
import Testing

@testable import NetTypes
@testable import PolicyAnalysis
@testable import PolicyIR

struct PortlessProtocolTests {
    /// PolicyTest has no name for these protocols, so the row of the table is asked here.
    @Test(
        "row 130: a protocol without ports is allowed without a port, or with port 0, and as a whole",
        arguments: ["{protocol: GRE}", "{port: '', protocol: GRE}", "{port: '0', protocol: gre}"])
    func portless(_ port: String) throws {
        let decoded = decode(EdgeCluster.manifests + "---\n" + cnp("egress: [{toPorts: [{ports: [\(port)]}]}]"))
        #expect(decoded.errors == [])
        let evaluator = evaluator(decoded.objects, localNode: "node-1")
        func verdict(_ protocol: UInt8) throws -> FlowAnswer.Verdict {
            let flow = Flow(
                from: .pod(namespace: "shop", name: "web"), to: .pod(namespace: "shop", name: "db"),
                protocol: L4Protocol(rawValue: `protocol`), port: 0)
            return try evaluator.answer(flow).egress
        }
        #expect(try verdict(47) == .allow)
        #expect(try verdict(50) == .deny)
        #expect(try verdict(6) == .deny)
    }

    @Test(
        "without a port, TCP, ANY and a range are refused as before",
        arguments: [
            "{protocol: TCP}", "{}", "{protocol: GRE, endPort: 5}",
        ])
    func portNeeded(_ port: String) {
        #expect(decode(cnp("egress: [{toPorts: [{ports: [\(port)]}]}]")).errors.count == 1)
    }
}
