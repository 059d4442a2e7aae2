import BPFEmit
import Foundation
import NetTypes
import PolicyAPI
import Testing

@testable import Agent

@Suite("binding: across restarts of the agent")
struct BindingRestartTests {
    private static let web = Pod(
        metadata: ObjectMeta(name: "web", namespace: "shop", labels: ["app": "web", "tier": "front"], uid: "u-web"),
        nodeName: "node-1", serviceAccount: "web", ports: [ContainerPort(name: "http", protocol: .tcp, port: 8080)],
        addresses: [Fixtures.address("10.0.0.1"), Fixtures.address("fd00::1")])

    private static func host() -> BindingHost {
        var host = BindingHost(.folder, unknown: .isolate, pods: [web])
        host.veth(7, into: 100, inside: "10.0.0.1")
        host.veth(8, into: 200)
        host.note("db", uid: "u-db", in: 200, "10.0.0.2")
        host.look()
        return host
    }

    @Test(
        "a restarted agent goes on with what it had bound, also to a pod whose object is gone and who shows nothing any more"
    )
    func goesOn() throws {
        var host = Self.host()
        #expect(host.bound == [7: "shop/web"])
        let records = try #require(host.table.records)
        let read = try JSONDecoder().decode(BindingRecords.self, from: JSONEncoder().encode(records))
        #expect(read == records)
        host.shows(100, "10.0.0.2")
        host.evidence.attachments = []
        host.restart(with: read, pods: [])
        #expect(host.bound == [7: "shop/web"])
        #expect(host.stubs == [8])
        #expect(host.table.view.stubs[0].addresses == [Fixtures.address("10.0.0.2")])
        #expect(host.table.effectivePod("shop/web") == Self.web)
        #expect(host.severe == [.podObjectGone])
        #expect(host.table.records == records)
    }

    @Test("numbers of another life of the host, or of another interface, say nothing")
    func otherLife() throws {
        var host = Self.host()
        let records = try #require(host.table.records)
        var otherBoot = records
        otherBoot.host.bootID = "boot-2"
        var otherForm = records
        otherForm.version = 99
        for useless in [otherBoot, otherForm] {
            var next = host
            next.restart(with: useless, pods: [])
            #expect(next.bound == [:])
            #expect(next.stubs == [8])
        }
        host.evidence.links[0].name = "veth99"
        host.evidence.links[0].mac = "0a:00:00:00:00:99"
        host.restart(with: records, pods: [])
        #expect(host.bound == [:])
    }

    @Test("without records, what an earlier agent pinned was enforced before: a pod by its addresses, else isolated")
    func pinned() {
        var host = Self.host()
        host.shows(100)
        host.restart(
            with: nil, pinned: [7: Self.web.addresses, 8: [Fixtures.address("10.0.0.2")]], pods: [Self.web],
            .init(node: "node-1", source: .folder, unknown: .open))
        #expect(host.bound == [7: "shop/web"])
        // Its note names a pod without object, and open leaves such alone; but it was enforced.
        host.evidence.attachments = []
        host.restart(
            with: nil, pinned: [7: Self.web.addresses, 8: [Fixtures.address("10.0.0.2")]], pods: [],
            .init(node: "node-1", source: .folder, unknown: .open))
        #expect(host.stubs == [7, 8])
        #expect(
            host.table.view.stubs.map(\.addresses) == [
                [Fixtures.address("10.0.0.1"), Fixtures.address("fd00::1")], [Fixtures.address("10.0.0.2")],
            ])
    }

    @Test("nothing is bound before the source has told its objects")
    func unsynced() {
        var table = BindingTable(.init(node: "node-1", source: .apiServer))
        var host = BindingHost()
        host.veth(7, into: 100)
        host.cgroup(100, "u-web")
        #expect(table.observe(host.evidence).isEmpty)
        #expect(table.view == BindingView())
        #expect(table.upsert(Self.web).pods == [.upsert(Self.web)])
        #expect(table.sync().changesView)
        #expect(table.view.endpoints.map(\.pod) == [Self.web])
    }
}
