import Support

/// A lab's plan and what was measured.
public struct LabResult: Sendable {
    /// The plan.
    public var plan: LabPlan
    /// One measurement for each flow of the plan, in order.
    public var measurements: [LabMeasurement]
    /// One measurement for each of the plan's connections through Services, in order.
    public var serviceMeasurements: [LabMeasurement]
    /// One measurement for each of the plan's requests, queries, handshakes and connections by name, in order.
    public var requestMeasurements: [LabMeasurement]

    /// A result.
    public init(
        plan: LabPlan, measurements: [LabMeasurement], serviceMeasurements: [LabMeasurement] = [],
        requestMeasurements: [LabMeasurement] = []
    ) {
        self.requestMeasurements = requestMeasurements
        self.plan = plan
        self.measurements = measurements
        self.serviceMeasurements = serviceMeasurements
    }

    /// Indices of the connections through Services that went otherwise than predicted.
    public var serviceDifferences: [Int] {
        zip(plan.serviceFlows, serviceMeasurements).enumerated().compactMap { index, pair in
            pair.1.agrees(with: pair.0.prediction) ? nil : index
        }
    }

    /// Indices of the requests and names that went otherwise than predicted.
    public var requestDifferences: [Int] {
        zip(plan.requestFlows, requestMeasurements).enumerated().compactMap { index, pair in
            pair.1.agrees(with: pair.0.prediction) ? nil : index
        }
    }

    /// Whether everything went as predicted.
    public var agrees: Bool { differences.isEmpty && serviceDifferences.isEmpty && requestDifferences.isEmpty }

    /// Indices of the flows that went otherwise than predicted.
    public var differences: [Int] {
        zip(plan.flows, measurements).enumerated().compactMap { index, pair in
            pair.1.agrees(with: pair.0.prediction) ? nil : index
        }
    }

    /// The last line: `measured = predicted: 1,344 of 1,344 probes`.
    public var verdict: String {
        let total = plan.flows.count + plan.serviceFlows.count + plan.requestFlows.count
        let differing = differences.count + serviceDifferences.count + requestDifferences.count
        return differing == 0
            ? "measured = predicted: \(Quantity.grouped(total)) of \(Quantity.grouped(total)) probes"
            : "measured and predicted differ: \(Quantity.grouped(differing)) of \(Quantity.grouped(total)) probes"
    }
}
