import LabKit
import NetpoldTestSupport
import PolicyIR
import Support
import Testing

@testable import netpold

@Suite("Lab result for people")
struct LabRendererTests {
    /// Two pods, `a` isolated; measured as predicted but for the flows `change` touches.
    private static func result(_ change: (LabPlan.Flow) -> LabMeasurement? = { _ in nil }) -> LabResult {
        let (objects, policies) = LabFixtures.isolatedPair
        let plan = LabPlan(objects, policies: policies)
        return LabResult(
            plan: plan,
            measurements: plan.flows.map { change($0) ?? ($0.prediction.passes ? .answered : .silent) })
    }

    @Test("identical ports share one grid, without a colour code when colours are off")
    func plainGrid() {
        let text = LabRenderer(style: TextStyle(isColoured: false)).result(Self.result())
        #expect(
            text == """
                ✓ answered   · dropped

                TCP 4242; UDP 4242; ping
                  from \\ to                            1  2  3  4  5
                   1 shop/a                               ✓  ✓  ✓  ✓
                   2 shop/b                            ·     ✓  ✓  ✓
                   3 host                              ✓  ✓
                   4 198.18.0.1 (in no prefix)         ·  ✓
                   5 2001:db8:ffff::1 (in no prefix)   ·  ✓

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
        let text = LabRenderer(style: TextStyle(isColoured: false)).result(result)
        #expect(result.differences.count == 1)
        #expect(text.contains("shop/b -> shop/a TCP 4242 over IPv4: predicted denied, measured answered"))
        #expect(text.contains("it is isolated by"))
        #expect(text.hasSuffix("measured and predicted differ: 1 of 60 probes"))
        #expect(text.contains("! other than predicted"))
    }
}
