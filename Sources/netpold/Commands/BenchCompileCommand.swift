import ArgumentParser
import BPFEmit
import Glibc
import PolicyIR

/// `netpold bench-compile`: how long compiling takes, beside the targets.
struct BenchCompileCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench-compile", abstract: "Measure compilation against its targets.",
        discussion: """
            1,000 policies, 10,000 pods, 50 of them local: from decoded objects to images, and one change at a time. Needs no root. \
            Use a release build.
            """,
        shouldDisplay: false)

    @Option(help: "Runs of each measurement; the median counts.")
    var runs = 9

    func run() throws {
        print("CPU time                                                          median      target")
        for (name, labels) in [("deployments", CompileWorkload.Labels.deployments), ("unique labels", .unique)] {
            let workload = CompileWorkload(labels)
            measureAll(workload, "\(workload.classes) identities (\(name))")
            measureChanges(workload, labels)
        }
        measureWideRule()
    }

    private func measureAll(_ workload: CompileWorkload, _ name: String) {
        var image: NodeImage?
        let lowering = median { _ = PolicyLowering.lower(workload.objects) }
        let all = median {
            let lowered = PolicyLowering.lower(workload.objects)
            var allocator = IdentityAllocator()
            image = NodeCompiler.compile(
                workload.objects, policies: lowered.policies, localNode: CompileWorkload.localNode,
                allocator: &allocator)
        }
        row("objects to images, \(name)", all, unit: 1e-3, "ms", target: 50)
        row("  of which lowering", lowering, unit: 1e-3, "ms", target: nil)
        if let image {
            let entries = image.subjects.reduce(0) { $0 + $1.ingress.peers.count + $1.egress.peers.count }
            print("  \(image.endpoints.count) endpoints, \(image.subjects.count) subjects, \(entries) peers entries")
        }
    }

    private func measureWideRule() {
        let objects = CompileWorkload.wideRule()
        var image: NodeImage?
        let all = median {
            var allocator = IdentityAllocator()
            image = NodeCompiler.compile(
                objects, policies: PolicyLowering.lower(objects).policies, localNode: CompileWorkload.localNode,
                allocator: &allocator)
        }
        row("one rule of 5,000 identities x 20 ports", all, unit: 1e-3, "ms", target: nil)
        if let image {
            let entries = image.subjects.map { $0.ingress.peers.count }
            print(
                "  \(image.endpoints.count) pods share \(entries.count) policy of \(entries.first ?? 0) entries (target: about 5,000)"
            )
        }
    }

    private func median(_ work: () -> Void) -> Double {
        work()
        return middle((0..<max(runs, 1)).map { _ in time(work) })
    }

    func middle(_ times: [Double]) -> Double { times.isEmpty ? 0 : times.sorted()[times.count / 2] }

    /// CPU seconds of this thread: what else the machine does counts little.
    func time(_ work: () -> Void) -> Double {
        let start = BenchCompileCommand.cpuTime()
        work()
        return BenchCompileCommand.cpuTime() - start
    }

    private static func cpuTime() -> Double {
        var now = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now)
        return Double(now.tv_sec) + Double(now.tv_nsec) * 1e-9
    }

    func row(_ name: String, _ seconds: Double, unit: Double, _ symbol: String, target: Int?) {
        let tenths = Int((seconds / unit * 10).rounded())
        let value = "\(tenths / 10).\(tenths % 10) \(symbol)"
        let limit = target.map { "<= \($0) \(symbol)\(seconds / unit <= Double($0) ? "" : "  MISSED")" } ?? ""
        print(pad(name, 60) + String(repeating: " ", count: max(1, 11 - value.count)) + value + "      " + limit)
    }

    private func pad(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(1, width - text.count))
    }
}
