import BPFEmit
import NetTypes
import PolicyAPI
import Testing

@testable import Agent

@Suite("binding: namespaces without a Pod object")
struct UnknownNamespaceTests {
    private static let web = Fixtures.pod("web", "10.0.0.1", uid: "u-web", node: "node-1")

    /// A pod by its note, one by its cgroup, a stranger.
    private static func host(
        _ source: BindingTable.Source, _ unknown: UnknownNamespaces?, pods: [Pod] = []
    ) -> BindingHost {
        var host = BindingHost(source, unknown: unknown, pods: pods)
        host.veth(7, into: 100)
        host.note("web", uid: "u-web", in: 100, "10.0.0.1")
        host.veth(8, into: 200)
        host.cgroup(200, "u-db")
        host.veth(9, into: 300, inside: "172.17.0.2")
        host.look()
        return host
    }

    @Test(
        "with the API server, what shows evidence of being a pod's is isolated until its object comes; others are left alone"
    )
    func isolate() {
        var host = Self.host(.apiServer, nil)
        #expect(host.stubs == [7, 8])
        #expect(host.foreign == [9])
        #expect(host.severe == [])
        #expect(host.mild == [.unknownIsolated, .unknownIsolated])
        // From where it may answer the node: what the host knows, never what is seen inside.
        #expect(host.table.view.stubs.map(\.addresses) == [[Fixtures.address("10.0.0.1")], []])
        #expect(host.table.view.stubs.map(\.reference.uid) == ["u-web", "u-db"])
        #expect(host.table.view.links.count == 2)

        let change = host.table.upsert(Self.web)
        #expect(change.changesView && change.changesRecords)
        #expect(host.bound == [7: "shop/web"])
        #expect(host.stubs == [8])
    }

    @Test("a namespace without an address yet is no stranger, until it has had none for long")
    func bare() {
        var host = BindingHost(.folder, unknown: .open, pods: [Self.web])
        host.veth(7, into: 100)
        _ = host.namespace(100)
        host.shows(100, "fe80::1")
        host.look()
        #expect(host.bound == [:] && host.foreign == [7])
        #expect(!host.severe.contains(.unenforcedNamespace))
        var found = host
        found.shows(100, "10.0.0.1")
        found.look()
        #expect(found.bound == [7: "shop/web"])
        #expect(found.severe == [])
        var stranger = host
        stranger.shows(100, "172.17.0.2")
        stranger.look()
        #expect(stranger.severe.contains(.unenforcedNamespace))
        for _ in 0..<host.table.settings.patience { host.look() }
        #expect(host.severe.contains(.unenforcedNamespace))
    }

    @Test(
        "under open nothing new is isolated and each is a severe condition; what was isolated or enforced before stays")
    func open() {
        for source in [BindingTable.Source.folder, .apiServer] {
            let host = Self.host(source, .open)
            #expect(host.stubs == [])
            #expect(host.foreign == [7, 8, 9])
            #expect(host.severe.filter { $0 == .unenforcedNamespace }.count == (source == .folder ? 3 : 2))
        }
        var host = Self.host(.apiServer, nil, pods: [Self.web])
        #expect(host.bound == [7: "shop/web"])
        #expect(host.stubs == [8])
        host.restart(
            with: host.table.records, pods: [], .init(node: "node-1", source: .apiServer, unknown: .open))
        #expect(host.bound == [7: "shop/web"])
        #expect(host.stubs == [8])
    }

    @Test("a folder opens by default and says so; isolate isolates what is a pod's, all-isolate the mounted rest too")
    func folder() {
        #expect(Self.host(.folder, nil).table.settings.unknown == .open)
        let isolate = Self.host(.folder, .isolate)
        #expect(isolate.stubs == [7, 8])
        #expect(isolate.severe == [.unenforcedNamespace])
        var all = Self.host(.folder, .allIsolate)
        #expect(all.stubs == [7, 8, 9])
        #expect(all.severe == [])
        // The stub of a stranger shows what it likes and may answer from none of it.
        #expect(all.table.view.stubs.last?.addresses == [])
        // A namespace that is not among the mounted ones is not the folder's business.
        all.veth(10, into: nil)
        all.namespace(400, mounted: false)
        all.veth(11, into: 400)
        all.look()
        #expect(all.stubs == [7, 8, 9])
        #expect(all.foreign == [10, 11])
    }

    @Test("a stub becomes the pod that a folder adds for it, by what the namespace shows if there is nothing else")
    func strangerBecomesPod() {
        var host = Self.host(.folder, .allIsolate)
        _ = host.table.upsert(Fixtures.pod("late", "172.17.0.2"))
        #expect(host.bound == [9: "shop/late"])
        #expect(host.stubs == [7, 8])
    }

    @Test("a stub has no address that a live pod claims")
    func claimedAddress() {
        var host = Self.host(.apiServer, nil)
        _ = host.table.upsert(Fixtures.pod("other", "10.0.0.1", uid: "u-other", node: "node-2"))
        #expect(host.stubs == [7, 8])
        #expect(host.table.view.stubs[0].addresses == [])
    }
}
