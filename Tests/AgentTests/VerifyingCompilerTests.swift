import BPFEmit
import BPFSimulate
import NetTypes
import PolicyAPI
import Testing

@testable import Agent

@Suite struct VerifyingCompilerTests {
    /// Runs the programs of the image on the simulator.
    private final class SimulatedKernel: PacketDecider {
        private var simulator: NodeSimulator
        /// What becomes of each answer.
        let change: (PolicyVerdict) -> PolicyVerdict
        private(set) var asked = 0

        init(_ image: NodeImage, change: @escaping (PolicyVerdict) -> PolicyVerdict) throws {
            simulator = try NodeSimulator(image)
            self.change = change
        }

        func update(_ image: NodeImage) throws { simulator = try NodeSimulator(image) }

        func decide(
            _ pod: EndpointKey, _ direction: Direction, remote: IPAddress, protocol: L4Protocol, port: UInt16
        ) throws -> PacketAnswer {
            asked += 1
            let answer = try simulator.decide(
                direction, of: pod.namespace, pod.name, remote: simulator.identity(of: remote), protocol: `protocol`,
                port: port)
            let verdict = change(answer?.verdict ?? .deny)
            let reason: VerdictReason = verdict == .allow ? .allowed : .policyDefault
            return PacketAnswer(verdict: verdict, reason: reason.rawValue)
        }
    }

    private let pods = [Fixtures.pod("web", "10.0.0.1"), Fixtures.pod("db", "10.0.0.2")]

    private func desired(_ directions: Set<Direction>) -> DesiredChanges {
        let objects = pods.map(ClusterObject.pod) + [Fixtures.policy("web", app: "web", directions: directions)]
        return DesiredChanges(
            generation: 1, node: "node-1", changes: objects.map(ObjectChange.upsert), links: [:])
    }

    @Test("programs that decide as the policies say are let through, and only what changed is asked again")
    func agrees() throws {
        var kernel: SimulatedKernel?
        let compiler = VerifyingCompiler(NodePolicyCompiler()) { image in
            let made = try SimulatedKernel(image) { $0 }
            kernel = made
            return made
        }
        _ = try compiler.compile(desired([.ingress]))
        let first = try #require(kernel).asked
        #expect(first > 0)
        _ = try compiler.compile(desired([.ingress]))
        #expect(kernel?.asked == first)
        _ = try compiler.compile(desired([.ingress, .egress]))
        #expect(try #require(kernel).asked < 2 * first)
        #expect(try #require(kernel).asked > first)
    }

    @Test("one packet that is decided otherwise refuses the state", arguments: [PolicyVerdict.allow, .l7])
    func differs(lie: PolicyVerdict) throws {
        let compiler = VerifyingCompiler(NodePolicyCompiler()) { image in
            try SimulatedKernel(image) { $0 == .deny ? lie : $0 }
        }
        let failure = #expect(throws: VerificationFailure.self) { try compiler.compile(desired([.ingress])) }
        #expect(failure?.flow.hasPrefix("ingress of shop/web, ") == true)
        #expect(failure?.expected == "deny")
    }

    @Test("a packet that the datapath drops before any policy is asked is no difference")
    func droppedBefore() throws {
        struct Dropping: PacketDecider {
            func update(_ image: NodeImage) throws {}
            func decide(
                _ pod: EndpointKey, _ direction: Direction, remote: IPAddress, protocol: L4Protocol, port: UInt16
            ) throws -> PacketAnswer {
                PacketAnswer(verdict: .deny, reason: VerdictReason.spoofedSource.rawValue)
            }
        }
        _ = try VerifyingCompiler(NodePolicyCompiler()) { _ in Dropping() }.compile(desired([.ingress]))
    }
}
