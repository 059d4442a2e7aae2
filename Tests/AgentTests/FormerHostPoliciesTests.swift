import BPFEmit
import Foundation
import NetTypes
import NetpoldTestSupport
import PolicyAPI
import PolicyIR
import Testing

@testable import Agent

/// What the kernel goes back to when a change of host policies is not confirmed: docs/decisions/0026-host-policies.md.
@Suite("the host policies that were confirmed last")
struct FormerHostPoliciesTests {
    private static let policy = """
        apiVersion: cilium.io/v2
        kind: CiliumClusterwideNetworkPolicy
        metadata: {name: node}
        spec:
          nodeSelector: {matchExpressions: [{key: role, operator: NotIn, values: [spare]}]}
          ingress:
            - fromCIDRSet: [{cidr: 10.8.0.0/16, except: [10.8.1.0/24]}]
              toPorts: [{ports: [{port: "8080", endPort: 8090, protocol: TCP}, {port: web, protocol: ANY}]}]
            - fromEndpoints: [{matchLabels: {app: client}}]
              icmps: [{fields: [{family: IPv4, type: 8}]}]
            - fromEntities: [remote-node]
            - fromNodes: [{matchLabels: {role: edge}}]
          ingressDeny:
            - fromEntities: [world]
              toPorts: [{ports: [{port: "22", protocol: TCP}]}]
          egress: [{}]
        """

    private func state(_ policies: String, pods: [Pod] = []) throws -> CompilerState {
        var decoder = ManifestDecoder()
        decoder.add(Array(policies.utf8), file: "node.yaml")
        let decoded = decoder.finish()
        #expect(!decoded.hasErrors)
        var objects = decoded.objects
        objects.nodes = [
            Node(metadata: ObjectMeta(name: "node-1", labels: ["role": "core"]), addresses: [IPAddress(ipv4: 7)])
        ]
        objects.pods = [pod("shop/web", "app=client", ["10.0.0.1"])] + pods
        var state = CompilerState(objects, localNode: "node-1")
        state.compileHost()
        return state
    }

    private func standing(_ confirmation: HostConfirmation, _ wanted: UInt64, _ former: UInt64 = 0) -> HostStanding {
        HostStanding(confirmation: confirmation, fingerprint: wanted, formerFingerprint: former)
    }

    private func former(_ state: CompilerState) -> SubjectImage? {
        state.subject(CompilerState.formerHostSubjectKey)
    }

    @Test("policies come back from what is written down as they were: same rules, same order, same places")
    func records() throws {
        let state = try state(Self.policy)
        #expect(!state.hostPolicies.isEmpty)
        let records = HostPolicyRecords([3: state.hostPolicies, 4: []])
        let read = try JSONDecoder().decode(HostPolicyRecords.self, from: JSONEncoder().encode(records))
        #expect(read.known.keys.sorted() == [3, 4])
        #expect(read.known[4] == [])
        var again = try self.state("")
        again.setFormerHost(read.known[3])
        #expect(again.image.formerHostFingerprint == state.image.hostFingerprint)
        #expect(former(again)?.ingress == state.subject(CompilerState.hostSubjectKey)?.ingress)
        #expect(former(again)?.egress == state.subject(CompilerState.hostSubjectKey)?.egress)
    }

    @Test(
        "what is confirmed, waits or was given up decides what is kept; a new agent goes on from what is written down")
    func choice() throws {
        var written: HostPolicyRecords?
        var keeper = FormerHostPolicies(nil, save: { written = $0 }, report: { _ in })
        var state = try state(Self.policy)
        let first = state.hostFingerprint
        // Enforced for the first time: nothing was confirmed.
        keeper.choose(standing(.pending(.enforce, former: .off, until: 9), first), in: &state)
        #expect(former(state) == nil && state.image.formerHostFingerprint == 0)
        keeper.choose(standing(.settled(.enforce), first), in: &state)
        #expect(state.image.formerHostFingerprint == first)
        // A change: what was confirmed stays, whatever the objects say.
        _ = state.apply([
            .delete(ClusterObject.Key(kind: "CiliumClusterwideNetworkPolicy", namespace: "", name: "node"))
        ])
        let second = state.hostFingerprint
        #expect(second != first && state.hostPolicies.isEmpty)
        keeper.choose(standing(.settled(.enforce), first), in: &state)
        #expect(state.image.formerHostFingerprint == first)
        #expect(former(state)?.ingress.isolatedBy.map(\.name) == ["node"])
        #expect(state.policies.isEmpty, "it is nobody's policy but the node's")
        keeper.choose(standing(.pending(.enforce, former: .enforce, until: 9), second, first), in: &state)
        #expect(state.image.formerHostFingerprint == first)
        // Meanwhile it sees who comes.
        _ = state.apply([.upsert(.pod(pod("shop/other", "app=client,tier=2", ["10.0.0.2"])))])
        #expect(former(state)?.ingress.peers.contains { $0.identity >= 256 } == true)
        #expect(try former(state)?.ingress == former(scratch(state))?.ingress)

        // An agent that starts now.
        var next = FormerHostPolicies(written, save: { written = $0 }, report: { _ in })
        var restarted = try self.state("")
        next.choose(standing(.expired(.enforce, former: .enforce), second, first), in: &restarted)
        #expect(restarted.image.formerHostFingerprint == first)
        // One that knows nothing.
        var blank = FormerHostPolicies(nil, save: { _ in }, report: { _ in })
        var other = try self.state("")
        blank.choose(standing(.expired(.enforce, former: .enforce), second, first), in: &other)
        #expect(former(other) == nil && other.image.formerHostFingerprint == 0)
        // Confirmed: from now on back to no policies.
        keeper.choose(standing(.settled(.enforce), second), in: &state)
        #expect(state.image.formerHostFingerprint == second)
        #expect(former(state)?.ingress.isOpen == true)
        // Less than enforcement has no way back.
        keeper.choose(standing(.settled(.audit), second), in: &state)
        #expect(former(state) == nil)
        #expect(written?.known.keys.sorted() == [second])
    }

    /// Compiled from nothing.
    private func scratch(_ state: CompilerState) throws -> CompilerState {
        var scratch = CompilerState(state.objects, localNode: "node-1", allocator: state.allocator)
        scratch.compileHost()
        scratch.setFormerHost(try self.state(Self.policy).hostPolicies)
        return scratch
    }

    @Test("that it cannot be written down is said, and stops nothing")
    func unwritten() throws {
        struct Full: Error {}
        var reported = 0
        var keeper = FormerHostPolicies(nil, save: { _ in throw Full() }, report: { _ in reported += 1 })
        var state = try state(Self.policy)
        keeper.choose(standing(.settled(.enforce), state.hostFingerprint), in: &state)
        #expect(reported == 1)
        #expect(former(state) != nil)
    }
}
