import NetpoldTestSupport
import PolicyIR
import Testing

@testable import LabKit

@Suite("Lab result")
struct LabResultTests {
    /// Two pods, `a` isolated; measured as predicted but for the flows `change` touches.
    private static func result(_ change: (LabPlan.Flow) -> LabMeasurement? = { _ in nil }) -> LabResult {
        let (objects, policies) = LabFixtures.isolatedPair
        let plan = LabPlan(objects, policies: policies)
        return LabResult(
            plan: plan,
            measurements: plan.flows.map { change($0) ?? ($0.prediction.passes ? .answered : .silent) })
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
        // Where only L7 rules match, no server may answer what is no request; how that ends is the proxy's business.
        let reached = measurement == .answered || measurement == .answeredByOther("x")
        #expect(measurement.agrees(with: proxy) == !reached)
    }

    @Test("what is no request may be answered by the proxy, which has no name, and by no server")
    func proxyAnswers() {
        let proxy = LabPrediction(
            Decision(egress: SideDecision(.allow, .notIsolated), ingress: SideDecision(.l7([]), .l7Rules([], []))))
        #expect(LabMeasurement.answeredByOther(Responder.nobody).agrees(with: proxy))
        #expect(LabMeasurement.denied("reset").agrees(with: proxy))
    }

    @Test("a request is answered by whom it was meant for, denied by an answer, dropped in silence, and nothing else")
    func requestAgreement() {
        let all: [LabMeasurement] = [
            .answered, .denied("403"), .silent, .refused, .answeredByOther("x"), .unreachable(""),
        ]
        let wanted: [(LabRequestPrediction, LabMeasurement)] = [
            (.answered, .answered), (.denied, .denied("403")), (.dropped, .silent),
        ]
        for (prediction, only) in wanted {
            #expect(all.filter { $0.agrees(with: prediction) } == [only])
        }
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
}
