/// A lab's plan and what was measured.
public struct LabResult: Sendable {
    /// The plan.
    public var plan: LabPlan
    /// One measurement for each flow of the plan, in order.
    public var measurements: [LabMeasurement]

    /// A result.
    public init(plan: LabPlan, measurements: [LabMeasurement]) {
        self.plan = plan
        self.measurements = measurements
    }

    /// Indices of the flows that went otherwise than predicted.
    public var differences: [Int] {
        zip(plan.flows, measurements).enumerated().compactMap { index, pair in
            pair.1.agrees(with: pair.0.prediction) ? nil : index
        }
    }

    /// The last line: `measured = predicted: 1,344 of 1,344 probes`.
    public var verdict: String {
        let total = plan.flows.count
        let differing = differences.count
        return differing == 0
            ? "measured = predicted: \(LabResult.grouped(total)) of \(LabResult.grouped(total)) probes"
            : "measured and predicted differ: \(LabResult.grouped(differing)) of \(LabResult.grouped(total)) probes"
    }

    /// A number with a comma every three digits.
    public static func grouped(_ number: Int) -> String {
        var text = ""
        for (index, digit) in String(number).reversed().enumerated() {
            if index > 0, index % 3 == 0 { text.append(",") }
            text.append(digit)
        }
        return String(text.reversed())
    }
}
