import BPFEmit
import PolicyAPI
import Support
import Testing

@testable import Agent
@testable import netpold

@Suite struct VerdictRenderingTests {
    private let plain = VerdictRendering(style: TextStyle(isColoured: false)) { "t\($0)" }

    @Test("a default deny names the policies that isolate and the nearest rule")
    func defaultDeny() {
        #expect(
            plain.lines(Self.verdict()) == [
                "t1000 DENIED  shop/web (10.0.0.1:4311) -> shop/db (10.0.0.2:5432) TCP  ingress of shop/db: "
                    + "a policy isolates the pod and no rule allows the flow",
                "              isolated by NetworkPolicy shop/db (a.yaml:1:1)",
                "              nearest rule NetworkPolicy shop/db spec.ingress[0] (a.yaml:9:5): port 5432 is not in 80",
            ])
    }

    @Test("a rule's verdict names policy, path and place")
    func rule() {
        var verdict = Self.verdict(isDrop: false)
        verdict.rule = .init(object: "NetworkPolicy shop/db", path: "spec.ingress[0]", place: "a.yaml:9:5")
        #expect(
            plain.lines(verdict) == [
                "t1000 ALLOWED shop/web (10.0.0.1:4311) -> shop/db (10.0.0.2:5432) TCP  ingress of shop/db by "
                    + "NetworkPolicy shop/db spec.ingress[0] (a.yaml:9:5)"
            ])
    }

    @Test("a drop that a rule would allow says why beside the rule")
    func withoutProxy() {
        var verdict = Self.verdict()
        verdict.rule = .init(object: "CiliumNetworkPolicy shop/db", path: "spec.ingress[0]", place: "a.yaml:9:5")
        verdict.reason = VerdictReason.name(wire: VerdictReason.l7Unavailable.rawValue)
        verdict.sentence = VerdictReason.sentence(wire: VerdictReason.l7Unavailable.rawValue)
        let line = plain.lines(verdict).first
        #expect(line?.contains("only rules with L7 conditions match, and no proxy is running") == true)
        #expect(line?.hasSuffix("CiliumNetworkPolicy shop/db spec.ingress[0] (a.yaml:9:5)") == true)
        verdict.reason = VerdictReason.name(wire: VerdictReason.policyDeny.rawValue)
        #expect(plain.lines(verdict).first?.contains(" by CiliumNetworkPolicy shop/db") == true)
    }

    @Test("ends that are no pods show what they are, ICMP its type")
    func outside() {
        var verdict = Self.verdict()
        verdict.isolatedBy = []
        verdict.nearestMiss = nil
        verdict.protocol = "ICMPv6"
        verdict.icmpType = 128
        verdict.source = .init(address: "2001:db8::1", port: nil, pod: nil, identity: "world")
        verdict.destination = .init(address: "fd00::2", port: 53, pod: nil, identity: nil)
        #expect(
            plain.lines(verdict) == [
                "t1000 DENIED  2001:db8::1 (world) -> [fd00::2]:53 ICMPv6 type 128  ingress of shop/db: "
                    + "a policy isolates the pod and no rule allows the flow"
            ])
    }

    @Test("colours only where asked for, and each line ends without one")
    func colours() {
        let coloured = VerdictRendering(style: TextStyle(isColoured: true)) { "\($0)" }
        #expect(coloured.lines(Self.verdict())[0].contains("\u{1b}[31mDENIED \u{1b}[0m"))
        #expect(!plain.lines(Self.verdict()).joined().contains("\u{1b}"))
    }

    private static func verdict(isDrop: Bool = true) -> FlowVerdict {
        FlowVerdict(
            timeMilliseconds: 1000, isDrop: isDrop, direction: "ingress", subject: "shop/db",
            source: .init(address: "10.0.0.1", port: 4311, pod: "shop/web", identity: nil),
            destination: .init(address: "10.0.0.2", port: 5432, pod: "shop/db", identity: nil), protocol: "TCP",
            icmpType: nil, reason: "NP_DROP_POLICY_DEFAULT",
            sentence: "a policy isolates the pod and no rule allows the flow", rule: nil,
            isolatedBy: [.init(object: "NetworkPolicy shop/db", path: "", place: "a.yaml:1:1")],
            nearestMiss: "NetworkPolicy shop/db spec.ingress[0] (a.yaml:9:5): port 5432 is not in 80", revision: 3,
            length: 60)
    }
}
