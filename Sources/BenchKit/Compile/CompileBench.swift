import BPFEmit
import NetTypes
import PolicyIR

/// Measures compilation: a large cluster whole, one more pod in it, and one very wide rule.
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

    /// Runs of each measurement; the median counts.
    private let runs: Int

    /// A bench.
    public init(runs: Int) { self.runs = max(runs, 1) }

    /// Measures everything.
    ///
    /// - Parameter found: called with each finding as it comes.
    public func run(_ found: (Finding) -> Void) {
        for (name, labels) in [("deployments", CompileWorkload.Labels.deployments), ("unique labels", .unique)] {
            let workload = CompileWorkload(labels)
            measureAll(workload, "\(workload.classes) identities (\(name))", found)
            measureOnePod(workload, labels, found)
        }
        measureWideRule(found)
    }

    private func measureAll(_ workload: CompileWorkload, _ name: String, _ found: (Finding) -> Void) {
        var image: NodeImage?
        let lowering = median { _ = PolicyLowering.lower(workload.objects) }
        let all = median {
            let lowered = PolicyLowering.lower(workload.objects)
            var allocator = IdentityAllocator()
            image = NodeCompiler.compile(
                workload.objects, policies: lowered.policies, localNode: CompileWorkload.localNode,
                allocator: &allocator)
        }
        found(
            .measurement(.init(name: "objects to images, \(name)", nanoseconds: all, unit: .milliseconds, target: 50)))
        found(.measurement(.init(name: "  of which lowering", nanoseconds: lowering, unit: .milliseconds, target: nil)))
        guard let image else { return }
        let entries = image.subjects.reduce(0) { $0 + $1.ingress.peers.count + $1.egress.peers.count }
        found(
            .note("\(image.endpoints.count) endpoints, \(image.subjects.count) subjects, \(entries) peers entries"))
    }

    private func measureOnePod(
        _ workload: CompileWorkload, _ labels: CompileWorkload.Labels, _ found: (Finding) -> Void
    ) {
        let policies = PolicyLowering.lower(workload.objects).policies
        var state = CompilerState(workload.objects, policies: policies, localNode: CompileWorkload.localNode)
        var times: (known: [UInt64], new: [UInt64], gone: [UInt64]) = ([], [], [])
        for number in 0..<200 {
            var pod = CompileWorkload.pod(number % 100, in: number % 100, .deployments)
            if labels == .unique { pod.metadata.labels["statefulset.kubernetes.io/pod-name"] = "pod-\(number % 100)" }
            pod.metadata.name = "more-\(number)"
            pod.nodeName = "node-9"
            pod.addresses = [IPAddress(ipv4: 0x0aff_0000 + UInt32(number))]
            times.known.append(ThreadCPU.time { _ = state.apply(pod) })
            pod.metadata.name = "new-\(number)"
            pod.metadata.labels["id"] = "\(number)"
            pod.addresses = [IPAddress(ipv4: 0x0afe_0000 + UInt32(number))]
            times.new.append(ThreadCPU.time { _ = state.apply(pod) })
        }
        for number in 0..<200 {
            times.gone.append(
                ThreadCPU.time { _ = state.remove(podNamed: "new-\(number)", in: "team-\(number % 100)") })
        }
        for (name, values, target) in [
            ("one more pod, labels known", times.known, 50), ("one more pod, labels new", times.new, 50),
            ("one pod less, labels with it", times.gone, nil),
        ] {
            found(
                .measurement(
                    .init(name: name, nanoseconds: values.quantile(0.5) ?? 0, unit: .microseconds, target: target)))
        }
    }

    private func measureWideRule(_ found: (Finding) -> Void) {
        let objects = CompileWorkload.wideRule()
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
                    name: "one rule of 5,000 identities x 20 ports", nanoseconds: all, unit: .milliseconds, target: nil)
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
