import Support

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
            ? "measured = predicted: \(Quantity.grouped(total)) of \(Quantity.grouped(total)) probes"
            : "measured and predicted differ: \(Quantity.grouped(differing)) of \(Quantity.grouped(total)) probes"
    }
}
