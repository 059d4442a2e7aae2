import Foundation
import LabKit
import PolicyAPI
import PolicyIR
import Support
import Testing

/// `examples/cluster`: three nodes with an agent each, thirty pods; what is measured between them is what the policies say.
@Suite("A lab of several nodes", .enabled(if: geteuid() == 0, "needs root"), .serialized)
struct ClusterLabTests {
    private static let example = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().appending(path: "examples/cluster")

    /// The manifests, cluster first.
    private static var manifests: [String] {
        get throws {
            try ["cluster", "pods", "services", "policies"].map {
                try String(contentsOf: example.appending(path: "\($0).yaml"), encoding: .utf8)
            }
        }
    }

    @Test(
        "agents that follow an API server, one on each node: every pair by pod addresses, cluster IPs and node ports, across nodes and on one"
    )
    func byAPIServer() async throws {
        let server = try await ClusterServer()
        do {
            try await measure(server)
        } catch {
            await server.stop()
            throw error
        }
        await server.stop()
    }

    private func measure(_ server: ClusterServer) async throws {
        var decoder = ManifestDecoder()
        for text in try Self.manifests {
            try await server.apply(text)
            decoder.add(Array(text.utf8), file: "cluster.yaml")
        }
        let objects = decoder.finish().objects
        let plan = LabPlan(objects, policies: PolicyLowering.lower(objects, for: .enforcement).policies)
        #expect(plan.nodes.map(\.name) == ["node-1", "node-2", "node-3"] && plan.isAsWritten)
        #expect(plan.nodes.indices.map { node in plan.pods.count { $0.node == node } } == [10, 10, 10])
        let name = "cluster-\(UInt16.random(in: .min ... .max))"
        let enforcer = AgentEnforcer(program: BuiltNetpold.path) {
            ["--kubeconfig", try server.kubeconfig(in: $0), "--log-level", "warning"]
        }
        let session = try LabSession.begin(
            plan, manifests: [], name: name, enforcer: enforcer, interrupt: Interrupt(), isKept: false)
        check(try session.run())
        #expect(!FileManager.default.fileExists(atPath: "/run/netpold/lab/\(name)"))
    }

    private func check(_ result: LabResult) {
        let plan = result.plan
        let differences = result.differences.map { index in
            "\(plan.flows[index]): \(result.measurements[index].summary)"
        }
        #expect(differences.isEmpty, "\(differences.count): \(differences.prefix(5))")
        let throughServices = result.serviceDifferences.map { index in
            "\(plan.serviceFlows[index]): \(result.serviceMeasurements[index].summary)"
        }
        #expect(throughServices.isEmpty, "\(throughServices.count): \(throughServices.prefix(5))")
        // Each kind of way was tried, with both outcomes.
        for isAcross in [true, false] {
            let verdicts = plan.flows.compactMap { flow -> Bool? in
                guard case .pod(let from) = flow.from, case .pod(let to) = flow.to,
                    (plan.pods[from].node != plan.pods[to].node) == isAcross
                else { return nil }
                return flow.prediction.passes
            }
            #expect(verdicts.count > 2000 && Set(verdicts) == [true, false])
        }
        for kind in [ServiceFrontend.Kind.clusterIP, .nodePort] {
            let verdicts = plan.serviceFlows.filter { plan.frontends[$0.to].frontend.kind == kind }.map(
                \.prediction.verdict)
            #expect(Set(verdicts).isSuperset(of: [.allow, .deny, .mixed]))
        }
        #expect(plan.serviceFlows.contains { $0.prediction.verdict == .rejected })
        // At its own node's port, and at another's.
        let ports = plan.serviceFlows.compactMap { flow -> Bool? in
            let frontend = plan.frontends[flow.to].frontend
            guard frontend.kind == .nodePort, flow.prediction.passes else { return nil }
            return plan.nodes[plan.pods[flow.from].node].ipAddresses.contains(frontend.address)
        }
        #expect(Set(ports) == [true, false])
        // A node reaches its own pods; another node is judged.
        let front = plan.flows.filter { flow in
            guard case .node = flow.from, case .pod(let pod) = flow.to else { return false }
            return plan.pods[pod].name == "db-1"
        }
        #expect(Set(front.map(\.prediction.passes)) == [true, false])
    }

    @Test(
        "the command, with agents that watch the folder: as predicted, and nothing is left; each host is named by its node"
    )
    func command() throws {
        let name = "cluster-\(UInt16.random(in: .min ... .max))"
        let run = try BuiltNetpold.run(["lab", "-f", Self.example.path(), "--name", name])
        #expect(run.code == 0, "\(run.errors)")
        #expect(run.output.contains("30 pods, 3 nodes, "))
        #expect(run.output.contains(" host/node-3 "))
        #expect(run.lastLine.hasPrefix("measured = predicted: "))
        let left =
            [1, 2, 3].map { "/sys/fs/bpf/netpold/lab\($0 == 1 ? "" : "\($0)")-\(name)" } + ["/run/netpold/lab/\(name)"]
        #expect(left.filter { FileManager.default.fileExists(atPath: $0) } == [])
    }
}
