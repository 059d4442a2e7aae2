import BPFEmit
import NetTypes
import PolicyIR

/// Measures compilation: a large cluster whole, one change of it at a time, and one very wide rule.
public struct CompileBench: Sendable {
    /// What was found.
    public enum Finding: Hashable, Sendable {
        /// A time.
        case measurement(Measurement)
        /// What was compiled in the time above, in words.
        case note(String)
    }

    /// A time and what it should be.
    public struct Measurement: Hashable, Sendable {
        /// The unit that a time is read in.
        public enum Unit: Hashable, Sendable {
            case milliseconds, microseconds
        }

        /// What was measured.
        public var name: String
        /// CPU nanoseconds, the median of the runs.
        public var nanoseconds: UInt64
        /// How the time is read.
        public var unit: Unit
        /// The most it should be, in the unit; `nil` where nothing is promised.
        public var target: Int?
    }

    /// A part of what is measured.
    public enum Part: String, CaseIterable, Sendable {
        /// Clusters as a whole.
        case scratch
        /// One change at a time.
        case changes
        /// One rule that names thousands of identities.
        case wide
    }

    /// Runs of each measurement; the median counts.
    private let runs: Int
    private let parts: Set<Part>

    /// A bench of some parts.
    public init(runs: Int, parts: Set<Part> = Set(Part.allCases)) {
        self.runs = max(runs, 1)
        self.parts = parts
    }

    /// Measures everything.
    ///
    /// - Parameter found: called with each finding as it comes.
    public func run(_ found: (Finding) -> Void) {
        for (name, labels) in [("deployments", CompileWorkload.Labels.deployments), ("unique labels", .unique)] {
            let workload = CompileWorkload(labels)
            if parts.contains(.scratch) { measureAll(workload, name, target: 50, found) }
            if parts.contains(.changes) { measureChanges(workload, labels, found) }
        }
        if parts.contains(.scratch) {
            for (name, labels) in [("deployments", CompileWorkload.Labels.deployments), ("unique labels", .unique)] {
                measureAll(CompileWorkload(labels, .manyPolicies), "\(name), 10,000 policies", target: nil, found)
            }
        }
        if parts.contains(.wide) {
            for pods in [2, 50] { measureWideRule(localPods: pods, found) }
        }
    }

    /// From decoded objects to images: the compiler alone, no file is read.
    private func measureAll(
        _ workload: CompileWorkload, _ labels: String, target: Int?, _ found: (Finding) -> Void
    ) {
        var image: NodeImage?
        let lowering = median { _ = PolicyLowering.lower(workload.objects) }
        let all = median {
            let lowered = PolicyLowering.lower(workload.objects)
            var allocator = IdentityAllocator()
            image = NodeCompiler.compile(
                workload.objects, policies: lowered.policies, localNode: CompileWorkload.localNode,
                allocator: &allocator)
        }
        guard let image else { return }
        found(
            .measurement(
                .init(
                    name: "objects to images, \(image.identities.count) identities (\(labels))", nanoseconds: all,
                    unit: .milliseconds, target: target)))
        found(.measurement(.init(name: "  of which lowering", nanoseconds: lowering, unit: .milliseconds, target: nil)))
        let entries = image.subjects.reduce(0) { $0 + $1.ingress.peers.count + $1.egress.peers.count }
        found(
            .note(
                "\(workload.objects.networkPolicies.count) policies, \(image.endpoints.count) endpoints, "
                    + "\(image.subjects.count) subjects, \(entries) peers entries"))
    }

    private func measureWideRule(localPods: Int, _ found: (Finding) -> Void) {
        let objects = CompileWorkload.wideRule(localPods: localPods)
        var image: NodeImage?
        let all = median {
            var allocator = IdentityAllocator()
            image = NodeCompiler.compile(
                objects, policies: PolicyLowering.lower(objects).policies, localNode: CompileWorkload.localNode,
                allocator: &allocator)
        }
        found(
            .measurement(
                .init(
                    name: "one rule of 5,000 identities x 20 ports, \(localPods) local pods", nanoseconds: all,
                    unit: .milliseconds, target: nil)
            ))
        guard let image else { return }
        let entries = image.subjects.map { $0.ingress.peers.count }
        found(
            .note(
                "\(image.endpoints.count) pods share \(entries.count) policy of \(entries.first ?? 0) entries "
                    + "(target: about 5,000)"))
    }

    private func median(_ work: () -> Void) -> UInt64 {
        work()
        return (0..<runs).map { _ in ThreadCPU.time(of: work) }.quantile(0.5) ?? 0
    }
}
