import BPFEmit
import PolicyAPI
import Testing

@testable import Agent

/// Host policies select the node by its labels: an object of it that goes, or comes without any, takes none off.
@Suite("the Node object of this node that goes")
struct NodeKeeperTests {
    private static let source = ObjectSourceID("cluster")
    private static let labels = ["role": "edge"]

    private static func node(_ labels: [String: String], _ name: String = "node-1") -> ClusterObject {
        .node(Node(metadata: ObjectMeta(name: name, labels: labels), addresses: [Fixtures.address("10.1.0.1")]))
    }

    private static func begun(
        _ objects: [ClusterObject], _ kind: BindingTable.Source = .apiServer, records: BindingRecords? = nil
    ) -> ReducerRun {
        let settings = AgentState.Settings(binding: .init(node: "node-1", source: kind), debounce: 50)
        var run = ReducerRun(settings, sources: [source], records: records)
        run.on(events(objects.map(upsert) + ObjectKind.allCases.map(ObjectEvent.synced)))
        run.on(.node(Fixtures.host([(7, "10.0.0.1")])))
        run.finish()
        return run
    }

    private static func upsert(_ object: ClusterObject) -> ObjectEvent {
        .upsert(object, origin: .server(ObjectVersion(resourceVersion: "1")))
    }

    private static func events(_ events: [ObjectEvent]) -> AgentEvent {
        .objects(ObjectBatch(source: source, events: events))
    }

    private func labels(_ run: ReducerRun, of name: String = "node-1") -> [String: String]? {
        guard case .node(let node)? = run.table.objects[Self.node([:], name).key] else { return nil }
        return node.metadata.labels
    }

    private func kept(_ run: ReducerRun) -> [String] {
        run.state.conditions.filter { $0.kind == .nodeKept }.map(\.subject)
    }

    @Test(
        "its labels stay while it is gone or has none, until it has some again; other nodes are as they are said to be")
    func stays() {
        var run = Self.begun([Self.node(Self.labels), Self.node(Self.labels, "node-2")])
        #expect(labels(run) == Self.labels && kept(run).isEmpty)
        for event in [ObjectEvent.delete(Self.node([:]).key), Self.upsert(Self.node([:]))] {
            run.on(Self.events([event]))
            run.finish()
            #expect(labels(run) == Self.labels && kept(run) == ["node-1"] && run.state.isInForce)
        }
        run.on(Self.events([Self.upsert(Self.node(["role": "core"]))]))
        run.finish()
        #expect(labels(run) == ["role": "core"] && kept(run).isEmpty)
        for event in [Self.upsert(Self.node([:], "node-2")), .delete(Self.node([:], "node-2").key)] {
            run.on(Self.events([event]))
            run.finish()
        }
        #expect(labels(run, of: "node-2") == nil)
    }

    @Test("also for the next agent, whether it finds none or one without labels", arguments: [false, true])
    func restart(isThere: Bool) throws {
        var run = Self.begun([Self.node(Self.labels)])
        run.on(Self.events([.delete(Self.node([:]).key)]))
        run.finish()
        let records = try #require(run.recorded.last)
        #expect(records.nodeLabels == Self.labels)
        var next = Self.begun(isThere ? [Self.node([:])] : [], records: records)
        #expect(labels(next) == Self.labels && kept(next) == ["node-1"])
        #expect(next.recorded.last?.nodeLabels == Self.labels)
        next.on(Self.events([Self.upsert(Self.node(["role": "core"]))]))
        next.finish()
        #expect(labels(next) == ["role": "core"] && kept(next).isEmpty)
        #expect(next.recorded.last?.nodeLabels == ["role": "core"])
    }

    @Test("a folder says what its author means")
    func folder() {
        var run = Self.begun([Self.node(Self.labels)], .folder)
        run.on(Self.events([Self.upsert(Self.node([:]))]))
        run.finish()
        #expect(labels(run) == [:])
        run.on(Self.events([.delete(Self.node([:]).key)]))
        run.finish()
        #expect(labels(run) == nil && kept(run).isEmpty)
    }
}
