import BPFEmit
import NetTypes
import NetpoldTestSupport
import PolicyAPI
import Testing

@testable import Agent

@Suite("binding: any sequence of events")
struct BindingPropertyTests {
    /// A host and objects that change at random, hostile pods included.
    private struct World {
        var random: SplitMix64
        var host: BindingHost
        /// What the compiler was told, by name.
        var compiled: [String: Pod] = [:]
        private var nextLink: UInt32 = 10

        init(seed: UInt64) {
            random = SplitMix64(seed: seed)
            var random = SplitMix64(seed: seed &+ 1)
            host = BindingHost(
                random.pick([.folder, .apiServer]), unknown: random.pick([nil, .isolate, .open, .allIsolate]))
        }

        private mutating func address() -> String { "10.0.0.\(1 + random.below(6))" }

        private mutating func pod() -> Pod {
            var pod = Fixtures.pod(
                "p\(random.below(5))", random.once(in: 6) ? nil : address(),
                uid: random.once(in: 5) ? "" : "u\(random.below(7))",
                node: random.pick(["node-1", "node-1", "node-2", ""]),
                phase: random.pick(["Running", "Running", "Running", "Pending", "Succeeded"]))
            pod.hostNetwork = random.once(in: 12)
            return pod
        }

        mutating func step() {
            let change: BindingChange
            switch random.below(12) {
            case 0...2: change = host.table.upsert(pod())
            case 3: change = host.table.remove(namespace: "shop", name: "p\(random.below(5))")
            case 4: change = host.table.replace(pods: random.once(in: 2) ? [] : [pod()])
            case 5: change = host.table.set(nodes: random.pick([["node-1"], ["node-2"], []]))
            default:
                disturb()
                change = host.look()
            }
            for change in change.pods {
                switch change {
                case .upsert(let pod): compiled[pod.qualifiedName] = pod
                case .remove(let namespace, let name): compiled["\(namespace)/\(name)"] = nil
                }
            }
        }

        private mutating func disturb() {
            let links = host.evidence.links.map(\.ifindex)
            switch random.below(9) {
            case 0...1 where links.count < 6:
                host.veth(nextLink, into: random.once(in: 5) ? nil : UInt64(100 + random.below(4)), inside: address())
                nextLink += 1
            case 2: if let link = links.randomElement(using: &random) { host.removeLink(link) }
            case 3: for namespace in host.evidence.namespaces { host.shows(namespace.inode, address(), address()) }
            case 4: if let link = links.randomElement(using: &random) { host.route(address(), over: link) }
            case 5: host.evidence.routes = []
            case 6: host.cgroup(UInt64(100 + random.below(4)), "u\(random.below(7))")
            case 7:
                host.note(
                    "p\(random.below(5))", uid: random.once(in: 3) ? "" : "u\(random.below(7))",
                    in: UInt64(100 + random.below(4)), address())
            default:
                host.evidence.attachments = []
                if let number = host.evidence.links.indices.randomElement(using: &random) {
                    host.evidence.links[number].namespace = random.pick([nil, 100, 101])
                }
            }
        }
    }

    @Test("what was enforced stays enforced until its interface is gone, whatever happens", arguments: 0..<60)
    func neverOpens(seed: Int) {
        var world = World(seed: UInt64(seed))
        var enforced: Set<UInt32> = []
        for step in 0..<120 {
            world.step()
            let present = Set(world.host.evidence.links.map(\.ifindex))
            let links = world.host.table.view.links.values.flatMap(\.self)
            #expect(Set(links).count == links.count, "seed \(seed) step \(step): one interface, one endpoint")
            let now = Set(links).intersection(present)
            #expect(enforced.intersection(present).isSubset(of: now), "seed \(seed) step \(step)")
            enforced = now
        }
    }

    @Test("the changes told to the compiler add up to the pods in force", arguments: 0..<60)
    func changesAddUp(seed: Int) {
        var world = World(seed: UInt64(seed) + 1000)
        for step in 0..<120 {
            world.step()
            let table = world.host.table
            let names = Set(world.compiled.keys).union(table.directory.pods.keys)
                .union(table.view.endpoints.map(\.pod.qualifiedName))
            for name in names {
                #expect(world.compiled[name] == table.effectivePod(name), "seed \(seed) step \(step) \(name)")
            }
            for endpoint in table.view.endpoints {
                #expect(world.compiled[endpoint.pod.qualifiedName] == endpoint.pod, "seed \(seed) step \(step)")
                #expect(endpoint.pod.ownsAddresses && table.isLocal(endpoint.pod))
            }
        }
    }

    @Test("a change that is held not to matter does not matter", arguments: 0..<60)
    func relevance(seed: Int) {
        var world = World(seed: UInt64(seed) + 2000)
        for step in 0..<120 {
            world.step()
            // Resolving once more finds nothing that was left out.
            var again = world.host.table
            #expect(again.resolved().isEmpty, "seed \(seed) step \(step)")
            #expect(again.view == world.host.table.view, "seed \(seed) step \(step)")
            #expect(again.records == world.host.table.records, "seed \(seed) step \(step)")
        }
    }

    @Test("a restart with the records, and with the same objects, changes nothing", arguments: 0..<40)
    func restart(seed: Int) {
        var world = World(seed: UInt64(seed) + 3000)
        for step in 0..<60 {
            world.step()
            world.host.look()
            let table = world.host.table
            var next = world.host
            next.restart(with: table.records, pods: Array(table.directory.pods.values))
            #expect(next.table.view.links == table.view.links, "seed \(seed) step \(step)")
            #expect(next.table.view.endpoints.map(\.pod.addresses) == table.view.endpoints.map(\.pod.addresses))
            #expect(next.table.view.stubs == table.view.stubs, "seed \(seed) step \(step)")
        }
    }
}
