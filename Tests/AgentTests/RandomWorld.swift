import BPFEmit
import NetpoldTestSupport
import PolicyAPI
import PolicyIR

@testable import Agent

/// Random events of two sources and a node.
struct RandomWorld {
    let sources = [ObjectSourceID("a"), ObjectSourceID("b")]
    let settings: AgentState.Settings
    var random: SplitMix64
    /// Objects to draw from, several of some keys.
    private var pool: [ClusterObject] = []
    private var reported: [ObjectSourceID: Set<ObjectKey>] = [:]

    init(seed: UInt64) {
        random = SplitMix64(seed: seed)
        for number in 0..<3 { pool += RandomCluster(seed: seed &* 31 &+ UInt64(number)).objects.each }
        settings = AgentState.Settings(
            binding: .init(
                node: random.once(in: 2) ? "node-1" : "host", source: random.pick([.folder, .apiServer]),
                unknown: random.pick([nil, .isolate, .open, .allIsolate])),
            onRefused: random.once(in: 4) ? .ignore : .isolate)
    }

    /// What happens first, so that something can be asked for.
    mutating func start() -> [AgentEvent] {
        var events: [AgentEvent] = [.node(host())]
        for source in sources {
            var first = ObjectBatch(source: source, events: [])
            for _ in 0..<random.below(12) { first.events.append(upsert(from: source)) }
            first.events += ObjectKind.allCases.map(ObjectEvent.synced)
            events.append(.objects(first))
        }
        return events
    }

    /// Anything.
    mutating func next() -> AgentEvent {
        if random.once(in: 12) { return .node(host()) }
        let source = random.once(in: 4) ? sources[1] : sources[0]
        var batch = ObjectBatch(source: source, events: [])
        for _ in 0...random.below(3) { batch.events.append(event(from: source)) }
        return .objects(batch)
    }

    /// A table as the changes that make it, in random order.
    mutating func changes(of table: ObjectTable) -> [ObjectChange] {
        var changes = table.objects.values.map(ObjectChange.upsert)
        changes += table.isolating.map { .standIns($0.value, for: $0.key) }
        changes.append(.ownAddresses(table.ownAddresses))
        changes.append(.ownNetworks(table.ownNetworks))
        return changes.shuffled(using: &random)
    }

    private mutating func event(from source: ObjectSourceID) -> ObjectEvent {
        let known = (reported[source] ?? []).sorted()
        if !known.isEmpty, random.once(in: 4) {
            let key = random.pick(known)
            reported[source]?.remove(key)
            return .delete(key)
        }
        return random.once(in: 7) ? .refused(refused(source, known)) : upsert(from: source)
    }

    private mutating func upsert(from source: ObjectSourceID) -> ObjectEvent {
        var object = random.pick(pool)
        if random.once(in: 3) { object = .pod(RandomCluster.pod(random.below(20), &random)) }
        reported[source, default: []].insert(object.key)
        return .upsert(object, origin: .server(ObjectVersion(resourceVersion: "\(random.below(1000))")))
    }

    private mutating func refused(_ source: ObjectSourceID, _ known: [ObjectKey]) -> RefusedObject {
        let key = random.once(in: 2) || known.isEmpty ? random.pick(pool).key : random.pick(known)
        reported[source, default: []].insert(key)
        var origin = RuleOrigin(kind: key.kind, namespace: key.namespace, name: key.name, path: "spec")
        origin.isRefused = true
        let closed = DirectionRules(isolates: true, rules: [])
        let isolating = LoweredPolicy(
            subject: .pods(.named(random.pick(RandomCluster.namespaces)), LabelSelector()), ingress: closed,
            egress: random.once(in: 2) ? closed : nil, origin: origin)
        return RefusedObject(
            key: key, origin: .server(ObjectVersion(resourceVersion: "7")),
            diagnostics: [Diagnostic(id: .unknownField, location: nil, path: "spec", message: "unknown field")],
            isolating: key.isPolicy && !random.once(in: 3) ? [isolating] : [])
    }

    private mutating func host() -> HostEvidence {
        let veths = (0..<random.below(5)).map { number in
            (ifindex: UInt32(10 + number), address: "10.0.\(random.below(3)).\(1 + random.below(14))")
        }
        let own = ["127.0.0.1", "192.168.0.1", "192.168.0.77", "fe80::1"].filter { _ in random.once(in: 2) }
        var evidence = Fixtures.host(veths, own: own)
        // The host's routes say it too, of some.
        evidence.routes = veths.filter { _ in random.once(in: 2) }.map {
            HostRoute(address: Fixtures.address($0.address), ifindex: $0.ifindex)
        }
        return evidence
    }
}
