import BPFEmit
import NetTypes
import NetpoldTestSupport
import PolicyAPI
import PolicyIR
import Testing

/// The node itself among the subjects: docs/spec/cilium-network-policy.md 16.
@Suite("the node as a subject")
struct HostSubjectTests {
    private func objects(_ role: String) -> ClusterObjects {
        var objects = ClusterObjects()
        objects.nodes = [node(role)]
        objects.pods = [pod("shop/web", "app=web", ["10.0.0.1"])]
        objects.ciliumPolicies = [policy("edge", entity: .world)]
        return objects
    }

    private func node(_ role: String) -> Node {
        Node(metadata: ObjectMeta(name: "node-1", labels: ["role": role]), addresses: [IPAddress(ipv4: 0xc0a8_0001)])
    }

    private func policy(_ role: String, entity: Entity) -> CiliumPolicy {
        cilium(
            nil, "nodes",
            CiliumRule(
                subject: .nodes(selector("role=\(role)")), ingress: [element { $0.entities = .some([entity]) }]))
    }

    private func host(_ state: CompilerState) throws -> SubjectImage {
        try #require(state.subject(CompilerState.hostSubjectKey))
    }

    @Test("policies that select the node are its own; it comes before its pods and is none of them")
    func selected() throws {
        var state = CompilerState(objects("edge"), localNode: "node-1")
        #expect(state.hasIdleHostPolicies)
        #expect(state.image.endpoints.map(\.key.description) == ["shop/web"])
        #expect(state.image.hostFingerprint == 0)
        state.compileHost()
        #expect(!state.hasIdleHostPolicies)
        let image = state.image
        #expect(image.endpoints.map(\.key.description) == ["host", "shop/web"])
        #expect(image.endpoints[0].key == .host)
        #expect(try host(state).ingress.isolatedBy.map(\.name) == ["nodes"])
        #expect(try host(state).egress.isOpen)
        let web = try #require(image.subjects.first { $0.key == image.endpoints[1].subject })
        #expect(web.ingress.isOpen && web.egress.isOpen)
        #expect(image.identities.allSatisfy { $0.number < 256 || $0.label.hasPrefix("shop/") })
    }

    @Test("the node's labels and its policies are followed, as a full compile has them")
    func changes() throws {
        var state = CompilerState(objects("core"), localNode: "node-1")
        state.compileHost()
        #expect(try host(state).ingress.isOpen)
        let steps: [(ObjectChange, isIsolated: Bool)] = [
            (.upsert(.node(node("edge"))), true), (.upsert(.node(node("core"))), false),
            (.upsert(.ciliumPolicy(policy("core", entity: .world))), true),
            (.upsert(.ciliumPolicy(policy("core", entity: .cluster))), true),
            (.delete(ClusterObject.ciliumPolicy(policy("core", entity: .cluster)).key), false),
            (.upsert(.ciliumPolicy(policy("core", entity: .world))), true),
        ]
        var fingerprints: [UInt64] = [state.image.hostFingerprint]
        for (change, isIsolated) in steps {
            let before = state.image
            let delta = state.apply([change])
            #expect(try !host(state).ingress.isolatedBy.isEmpty == isIsolated)
            #expect(lacking(delta, on: before, towards: state.image) == [])
            var scratch = CompilerState(state.objects, localNode: "node-1", allocator: state.allocator)
            scratch.compileHost()
            #expect(differences(state.image, scratch.image) == [])
            #expect(state.image.hostFingerprint == scratch.image.hostFingerprint)
            fingerprints.append(state.image.hostFingerprint)
        }
        // Open, world, open, world, cluster, open, world: the same rules are the same wherever they came from.
        #expect(fingerprints[0] == fingerprints[2] && fingerprints[0] == fingerprints[5])
        #expect(fingerprints[1] == fingerprints[3] && fingerprints[1] == fingerprints[6])
        #expect(Set(fingerprints).count == 3)
    }

    @Test("pods that come and go change the peers of the node's policies, not their fingerprint")
    func pods() throws {
        var objects = objects("edge")
        objects.ciliumPolicies = [policy("edge", entity: .cluster)]
        var state = CompilerState(objects, localNode: "node-1")
        state.compileHost()
        let before = state.image
        _ = state.apply([.upsert(.pod(pod("shop/db", "app=db", ["10.0.0.2"])))])
        #expect(
            try host(state).ingress.peers.count > before.subjects.first { $0.key == "node" }?.ingress.peers.count
                ?? .max)
        #expect(state.image.hostFingerprint == before.hostFingerprint)
    }
}
