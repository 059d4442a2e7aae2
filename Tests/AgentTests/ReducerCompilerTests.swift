import BPFEmit
import NetpoldTestSupport
import PolicyAPI
import Testing

@testable import Agent

/// The reducer with the incremental compiler behind it.
@Suite struct ReducerCompilerTests {
    @Test("after any sequence of events the image equals that of a compile from scratch", arguments: 0..<24)
    func incremental(seed: Int) throws {
        var world = RandomWorld(seed: UInt64(seed) + 100)
        var run = ReducerRun(world.settings, sources: Set(world.sources))
        var compiler = NodePolicyCompiler()
        var compiled: CompiledNode?
        for event in world.start() { run.on(event) }
        for step in 0..<60 {
            let before = run.handedOut.count
            // The first change after a rest is handed out at once.
            run.on(world.next())
            if world.random.once(in: 2) { run.on(.reconcileDue) }
            guard run.handedOut.count > before, let desired = run.handedOut.last else { continue }
            let place: Comment = "seed \(seed) step \(step)"
            let node = try compiler.compile(desired)
            compiled = node
            expectTable(run, place)
            var scratch = NodePolicyCompiler(allocator: compiler.allocator)
            let fresh = try scratch.compile(
                DesiredChanges(
                    generation: desired.generation, node: desired.node, changes: world.changes(of: run.table),
                    links: desired.links, stubs: desired.stubs))
            #expect(differences(node.image, fresh.image) == [], place)
            #expect(node.diagnostics == fresh.diagnostics, place)
            if world.random.once(in: 4) {
                run.on(.applyFailed(generation: desired.generation, "np_addresses is full"))
            } else {
                run.on(.applied(generation: desired.generation, ApplyReport()))
            }
        }
        #expect(run.handedOut.count > 5)
        #expect(compiled?.image.endpoints.isEmpty == false || run.links.isEmpty)
    }

    /// What was handed out makes up what is in force.
    private func expectTable(_ run: ReducerRun, _ place: Comment) {
        let binding = run.state.binding
        var objects = Dictionary(uniqueKeysWithValues: run.state.store.objects.each.map { ($0.key, $0) })
        let names = objects.keys.filter { $0.objectKind == .pod }.map { "\($0.namespace)/\($0.name)" }
        for name in Set(names).union(binding.view.endpoints.map(\.pod.qualifiedName)) {
            guard let pod = binding.effectivePod(name) else { continue }
            objects[ClusterObject.pod(pod).key] = .pod(pod)
        }
        // A Node object that goes, or comes without labels, takes none off (NodeKeeperTests).
        let own = ObjectKey(kind: ObjectKind.node.rawValue, namespace: "", name: run.node)
        if case .node(let inForce)? = run.table.objects[own] {
            if case .node(var written) = objects[own, default: .node(inForce)] {
                if written.metadata.labels.isEmpty { written.metadata.labels = inForce.metadata.labels }
                objects[own] = .node(written)
            }
        }
        // Of namespaces that went before their pods more is in force: those that are bound, and those whose interface or object is to come.
        let kept = run.state.keeper.kept
        let pods = binding.view.endpoints.map(\.pod) + binding.view.waiting
        let occupied = Set(pods.map(\.metadata.namespace) + binding.view.stubs.map(\.reference.namespace))
        let mayBeAny = occupied.contains("")
        #expect(
            kept.allSatisfy { key in
                objects[key] == nil && (mayBeAny || occupied.contains(key.isPolicy ? key.namespace : key.name))
            }, place)
        #expect(run.table.objects.filter { !kept.contains($0.key) } == objects, place)
        #expect(run.table.isolating.filter { !kept.contains($0.key) } == run.state.store.isolating, place)
        #expect(run.links == binding.view.links, place)
        #expect(run.handedOut.last?.stubs.map(\.key) == binding.view.stubs.map(\.key), place)
        #expect(run.node == run.state.node, place)
    }

    /// The members in which two images differ.
    private func differences(_ left: NodeImage, _ right: NodeImage) -> [String] {
        var found: [String] = []
        if left.identities != right.identities { found.append("identities \(left.identities) \(right.identities)") }
        if left.addresses != right.addresses { found.append("addresses \(left.addresses) \(right.addresses)") }
        if left.prefixes != right.prefixes { found.append("prefixes \(left.prefixes) \(right.prefixes)") }
        if left.subjects != right.subjects { found.append("subjects") }
        if left.endpoints != right.endpoints { found.append("endpoints \(left.endpoints) \(right.endpoints)") }
        return found
    }
}
