import PolicyIR
import Testing

@testable import Agent

@Suite("Lab result")
struct LabRendererTests {
    /// Two pods, `a` isolated; measured as predicted but for the flows `change` touches.
    private static func result(_ change: (LabPlan.Flow) -> LabMeasurement? = { _ in nil }) -> LabResult {
        let plan = LabPlan(
            LabFixtures.cluster([
                LabFixtures.pod("a", ["10.0.0.1", "fd00::1"]), LabFixtures.pod("b", ["10.0.0.2", "fd00::2"]),
            ]),
            policies: [
                LabFixtures.policy(app: "a", peers: .anyOf([]), traffic: .everything)
            ])
        return LabResult(
            plan: plan,
            measurements: plan.flows.map { change($0) ?? ($0.prediction.passes ? .answered : .silent) })
    }

    @Test("identical ports share one grid, without a colour code when colours are off")
    func plainGrid() {
        let text = LabRenderer(isColoured: false).result(Self.result())
        #expect(
            text == """
                TCP 4242; UDP 4242; ping
                  from \\ to                            1  2  3  4  5
                   1 shop/a                               ✓  ✓  ✓  ✓
                   2 shop/b                            ·     ✓  ✓  ✓
                   3 host                              ✓  ✓
                   4 198.18.0.1 (in no prefix)         ·  ✓
                   5 2001:db8:ffff::1 (in no prefix)   ·  ✓

                ✓ answered   · dropped

                measured = predicted: 60 of 60 probes
                """)
        #expect(!text.contains("\u{1b}"))
    }

    @Test("a probe that passes against the prediction is marked, explained and counted")
    func difference() {
        let result = Self.result { flow in
            flow.from == .pod(1) && flow.to == .pod(0) && flow.traffic == LabTraffic(.tcp, 4242) && flow.family == 4
                ? .answered : nil
        }
        let text = LabRenderer(isColoured: false).result(result)
        #expect(result.differences.count == 1)
        #expect(text.contains("shop/b -> shop/a TCP 4242 over IPv4: predicted denied, measured answered"))
        #expect(text.contains("it is isolated by"))
        #expect(text.hasSuffix("measured and predicted differ: 1 of 60 probes"))
        #expect(text.contains("! other than predicted"))
    }

    @Test(
        "only an answer is a pass and only silence is a drop",
        arguments: [
            (LabMeasurement.answered, true, false), (.silent, false, true), (.refused, false, false),
            (.unreachable("No route to host"), false, false), (.answeredByOther("x"), false, false),
        ])
    func agreement(measurement: LabMeasurement, asPass: Bool, asDrop: Bool) {
        let pass = LabPrediction(
            Decision(egress: SideDecision(.allow, .notIsolated), ingress: SideDecision(.allow, .notIsolated)))
        let drop = LabPrediction(
            Decision(
                egress: SideDecision(.deny, .defaultDeny(isolatedBy: [])), ingress: SideDecision(.allow, .notIsolated)))
        let proxy = LabPrediction(
            Decision(egress: SideDecision(.allow, .notIsolated), ingress: SideDecision(.l7([]), .l7Rules([], []))))
        #expect(measurement.agrees(with: pass) == asPass)
        #expect(measurement.agrees(with: drop) == asDrop)
        #expect(measurement.agrees(with: proxy) == asDrop)
    }

    @Test("a cell shows which family alone passes")
    func families() {
        let result = Self.result()
        let matrix = LabMatrix(result)
        #expect(matrix.groups.count == 1)
        let grid = matrix.groups[0].cells
        #expect(grid[1][0] == .dropped)
        #expect(grid[0][1] == .passed)
        #expect(grid[0][0] == .none)
    }

    @Test("the report lists every exchange, with reasons where they differ")
    func report() {
        let report = LabReport(Self.result { $0.prediction.passes ? nil : .refused })
        #expect(report.probes == 60)
        #expect(report.flows.count == 60)
        #expect(report.flows.filter { !$0.agrees }.allSatisfy { $0.reasons?.isEmpty == false })
        #expect(report.agreeing == report.flows.filter(\.agrees).count)
        #expect(report.flows.contains { $0.from == "ip:198.18.0.1" && $0.to == "shop/b" && $0.protocol == "ICMP" })
    }

    @Test(
        "numbers have a comma every three digits",
        arguments: [(0, "0"), (999, "999"), (1344, "1,344"), (1_000_000, "1,000,000")])
    func grouping(number: Int, text: String) {
        #expect(LabResult.grouped(number) == text)
    }
}
