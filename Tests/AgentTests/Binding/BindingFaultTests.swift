import BPFEmit
import NetTypes
import PolicyAPI
import Testing

@testable import Agent

/// The faults that opened pods, each by name.
@Suite("binding: faults that opened pods")
struct BindingFaultTests {
    private static let web = Fixtures.pod("web", "10.0.0.1", uid: "u-web", node: "node-1")
    private static let spy = Fixtures.pod("spy", "10.0.0.2", uid: "u-spy", node: "node-1")

    /// Two pods, found by the host's routes alone: the weakest evidence that a pod cannot change.
    private static func twoPods(_ source: BindingTable.Source = .apiServer) -> BindingHost {
        var host = BindingHost(source, pods: [web, spy])
        host.veth(7, into: 100, inside: "10.0.0.1")
        host.veth(8, into: 200, inside: "10.0.0.2")
        host.route("10.0.0.1", over: 7)
        host.route("10.0.0.2", over: 8)
        host.look()
        return host
    }

    /// As `twoPods`, where only the namespaces show who they are.
    private static func twoPodsOfAFolder() -> BindingHost {
        var host = BindingHost(.folder, pods: [web, spy])
        host.veth(7, into: 100, inside: "10.0.0.1")
        host.veth(8, into: 200, inside: "10.0.0.2")
        host.look()
        return host
    }

    @Test(
        "a pod that adds, moves or flushes its addresses stays bound, and sends from those of its object",
        arguments: [["10.0.0.2", "10.0.0.1"], ["10.0.0.1"], ["10.0.0.77"], []])
    func hostileAddresses(shown: [String]) {
        for var host in [Self.twoPods(), Self.twoPodsOfAFolder()] {
            #expect(host.bound == [7: "shop/web", 8: "shop/spy"])
            host.evidence.namespaces[1].interfaces[0].addresses = shown.map(Fixtures.address)
            // Moved to the loopback, which is not listed, or flushed: nothing is left to see.
            #expect(host.look().isEmpty)
            #expect(host.bound == [7: "shop/web", 8: "shop/spy"])
            #expect(host.addresses(of: "shop/spy") == ["10.0.0.2"])
            #expect(host.addresses(of: "shop/web") == ["10.0.0.1"])
            #expect(host.severe == [])
        }
    }

    @Test(
        "a pod that moves its interface to another namespace, known or not, stays bound",
        arguments: [300, nil] as [UInt64?])
    func movedInterface(inode: UInt64?) {
        var host = Self.twoPods()
        host.evidence.links[1].namespace = inode
        host.evidence.namespaces[1].interfaces = []
        if let inode { host.namespace(inode, mounted: false) }
        host.look()
        #expect(host.bound == [7: "shop/web", 8: "shop/spy"])
        #expect(host.severe == [])
    }

    @Test(
        "at a first binding, a namespace that shows two pods' addresses is neither, and another that shows one's too isolates both"
    )
    func firstBindingUnderAttack() {
        var host = BindingHost(.folder, pods: [Self.web, Self.spy])
        host.veth(7, into: 100, inside: "10.0.0.1")
        host.veth(8, into: 200, inside: "10.0.0.2", "10.0.0.1")
        host.look()
        #expect(host.bound == [:])
        #expect(host.stubs == [7, 8])
        #expect(host.severe.contains(.bindingContradicted))
        // Clear evidence ends it.
        host.note("web", uid: "u-web", in: 100, "10.0.0.1")
        host.note("spy", uid: "u-spy", in: 200, "10.0.0.2")
        host.look()
        #expect(host.bound == [7: "shop/web", 8: "shop/spy"])
        #expect(host.stubs == [])
        #expect(host.severe == [])
    }

    @Test("a stranger that shows a bound pod's address gets nothing of it")
    func impostor() {
        var host = Self.twoPodsOfAFolder()
        host.veth(9, into: 300, inside: "10.0.0.1")
        host.look()
        #expect(host.bound == [7: "shop/web", 8: "shop/spy"])
        #expect(host.foreign == [9])
        #expect(host.severe == [.unenforcedNamespace])
    }

    @Test("with the API server, addresses inside bind nothing")
    func insideNeedsAFolder() {
        var host = BindingHost(.apiServer, pods: [Self.web])
        host.veth(7, into: 100, inside: "10.0.0.1")
        host.look()
        #expect(host.bound == [:])
    }

    @Test("a second Pod object with the same address leaves the first one's enforcement; both are reported")
    func secondObject() {
        var host = Self.twoPods()
        let stale = Fixtures.pod("stale", "10.0.0.1", uid: "u-stale", node: "node-1")
        let change = host.table.upsert(stale)
        #expect(change.pods == [.upsert(stale)])
        #expect(host.bound == [7: "shop/web", 8: "shop/spy"])
        host.look()
        #expect(host.bound == [7: "shop/web", 8: "shop/spy"])
        #expect(host.mild.contains(.addressConflict))
        let message = host.message(.addressConflict)
        #expect(message.contains("shop/stale") && message.contains("shop/web, which is behind veth7, stays enforced"))
        _ = host.table.remove(namespace: "shop", name: "stale")
        #expect(host.mild == [])
    }

    @Test(
        "two objects with one address at the first look: the interface is neither's, and isolated until the notes say whose"
    )
    func secondObjectFirst() {
        let stale = Fixtures.pod("stale", "10.0.0.1", uid: "u-stale", node: "node-1")
        var host = BindingHost(pods: [Self.web, stale])
        host.veth(7, into: 100)
        host.route("10.0.0.1", over: 7)
        host.look()
        #expect(host.stubs == [7])
        #expect(host.severe.contains(.bindingContradicted))
        host.cgroup(100, "u-web")
        host.look()
        #expect(host.bound == [7: "shop/web"])
    }

    @Test("a Pod object that disappears leaves its pod enforced with its last labels and addresses")
    func objectGone() {
        var host = Self.twoPods()
        #expect(host.table.remove(namespace: "shop", name: "web").pods == [])
        host.look()
        #expect(host.bound == [7: "shop/web", 8: "shop/spy"])
        #expect(host.addresses(of: "shop/web") == ["10.0.0.1"])
        #expect(host.table.effectivePod("shop/web")?.metadata.labels == ["app": "web"])
        #expect(host.severe == [.podObjectGone])
        #expect(host.message(.podObjectGone).contains("veth7"))
        // It comes back, with other labels.
        var again = Self.web
        again.metadata.labels = ["app": "other"]
        #expect(host.table.upsert(again).pods == [.upsert(again)])
        #expect(host.severe == [])
        // It goes, and its interface too: only now it is over.
        _ = host.table.remove(namespace: "shop", name: "web")
        host.removeLink(7)
        #expect(host.look().pods == [.remove(namespace: "shop", name: "web")])
        #expect(host.bound == [8: "shop/spy"])
    }

    @Test("a pod made again under its name is another one: the interface of the first stays the first's")
    func madeAgain() {
        var host = Self.twoPods()
        let again = Fixtures.pod("web", "10.0.0.9", uid: "u-web-2", node: "node-1")
        let change = host.table.upsert(again)
        #expect(host.bound == [7: "shop/web@u-web", 8: "shop/spy"])
        #expect(change.pods.contains(.upsert(again)))
        #expect(host.table.effectivePod("shop/web@u-web")?.addresses == Self.web.addresses)
        #expect(host.table.view.waiting == [again])
        #expect(host.severe == [.podObjectGone])
        host.veth(9, into: 300)
        host.route("10.0.0.9", over: 9)
        host.look()
        #expect(host.bound == [7: "shop/web@u-web", 8: "shop/spy", 9: "shop/web"])
        host.removeLink(7)
        host.look()
        #expect(host.bound == [8: "shop/spy", 9: "shop/web"])
        #expect(host.table.effectivePod("shop/web@u-web") == nil)
        #expect(host.severe == [])
    }

    @Test("objects that name other nodes move this agent nowhere; a name that nothing has is a condition")
    func nodeName() {
        #expect(NodeName.resolve(option: nil, hostname: "Worker-7") == "worker-7")
        #expect(NodeName.resolve(option: "", hostname: "Worker-7") == "worker-7")
        #expect(NodeName.resolve(option: "Given", hostname: "Worker-7") == "Given")
        var host = Self.twoPods(.folder)
        _ = host.table.upsert(Fixtures.pod("aaa", "10.9.0.1", uid: "u-a", node: "aaa"))
        _ = host.table.set(nodes: ["aaa", "node-1"])
        #expect(host.bound == [7: "shop/web", 8: "shop/spy"])
        #expect(host.severe == [])

        var stray = BindingHost(node: "nobody", pods: [Self.web])
        stray.look()
        #expect(stray.severe == [.nodeNameUnknown])
        #expect(stray.message(.nodeNameUnknown).contains("--node"))
        var silent = BindingHost(.folder, node: "nobody", pods: [Fixtures.pod("web", "10.0.0.1")])
        silent.look()
        #expect(silent.severe == [])
    }

    @Test("what the host says of a pod binds it whatever node its object names, and says so")
    func otherNode() {
        var host = BindingHost(pods: [Fixtures.pod("web", "10.0.0.1", uid: "u-web", node: "node-2")])
        host.veth(7, into: 100)
        host.cgroup(100, "u-web")
        host.look()
        #expect(host.bound == [7: "shop/web"])
        #expect(host.table.effectivePod("shop/web")?.nodeName == "node-1")
        #expect(host.severe == [.nodeNameMismatch, .nodeNameUnknown])
    }

    @Test(
        "a namespace that cannot be entered is bound by the host's evidence, and reported; without evidence the pod is")
    func noEntry() {
        var host = BindingHost(pods: [Self.web, Self.spy])
        host.veth(7, into: 100)
        host.evidence.namespaces[0].interfaces = []
        host.evidence.namespaces[0].failure = "Operation not permitted"
        host.note("web", uid: "u-web", in: 100, "10.0.0.1")
        for _ in 1...3 { host.look() }
        #expect(host.bound == [7: "shop/web"])
        #expect(Set(host.severe) == [.podUnenforced, .evidenceUnreadable] && host.severe.count == 2)
        #expect(host.message(.evidenceUnreadable).contains("Operation not permitted"))
        #expect(host.message(.podUnenforced).contains("it may be in ns100, which cannot be looked at"))
    }

    @Test("a namespace that can be read no more takes nothing away and changes nothing, and is reported")
    func readNoMore() {
        var host = BindingHost(pods: [Self.web, Self.spy])
        host.veth(7, into: 100, inside: "10.0.0.1")
        host.veth(8, into: 100, named: "net1", inside: "192.168.5.1")
        // Which interface is of which network is known by the names inside alone.
        host.note("web", uid: "u-web", in: 100, "10.0.0.1")
        host.note("web", uid: "u-web", in: 100, interface: "net1", "192.168.5.1")
        host.veth(9, into: 200, inside: "10.0.0.2")
        host.cgroup(200, "u-spy")
        host.veth(10, into: 300, inside: "10.0.0.3")
        host.cgroup(300, "u-none")
        host.look()
        let before = host.table.view
        #expect(host.bound == [7: "shop/web", 8: "shop/web@net1", 9: "shop/spy"])
        #expect(host.stubs == [10])
        for number in host.evidence.namespaces.indices {
            host.evidence.namespaces[number].interfaces = []
            host.evidence.namespaces[number].failure = "list addresses: it changed each time it was read"
        }
        for _ in 1...4 {
            let change = host.look()
            #expect(change.pods.isEmpty && !change.changesEndpoints && !change.changesRecords)
            #expect(host.table.view.endpoints == before.endpoints && host.table.view.stubs == before.stubs)
            #expect(host.severe == [.evidenceUnreadable, .evidenceUnreadable, .evidenceUnreadable])
            #expect(host.message(.evidenceUnreadable).contains("it changed each time it was read"))
        }
        // What the host says goes on to count.
        host.removeLink(9)
        host.look()
        #expect(host.bound == [7: "shop/web", 8: "shop/web@net1"])
    }

    @Test("who was known by its address inside stays known by it when its namespace can be read no more")
    func readNoMoreInFolder() {
        var host = BindingHost(.folder, pods: [Self.web])
        host.veth(7, into: 100, inside: "10.0.0.1")
        host.look()
        #expect(host.bound == [7: "shop/web"])
        host.evidence.namespaces[0].interfaces = []
        host.evidence.namespaces[0].failure = "list addresses: more than 4096"
        host.veth(8, into: 101, inside: "10.0.0.1")
        host.look()
        #expect(host.bound == [7: "shop/web"])
    }

    @Test("a pod without a veth is a severe condition that names its interfaces")
    func macvlan() {
        var host = BindingHost(pods: [Self.web])
        host.namespace(100)
        host.evidence.namespaces[0].interfaces = [
            .init(name: "eth0", index: 2, kind: "macvlan", reach: .around, addresses: [Fixtures.address("10.0.0.1")])
        ]
        host.cgroup(100, "u-web")
        host.look()
        #expect(host.severe == [.podUnenforced])
        #expect(host.message(.podUnenforced).hasSuffix("ns100 has no veth to this node, but eth0 (macvlan)"))
        // Also where nothing but the address says whose it is.
        var folder = BindingHost(.folder, pods: [Self.web])
        folder.evidence = host.evidence
        folder.cgroup(100)
        folder.look()
        #expect(folder.severe == [.podUnenforced])
    }

    @Test("an interface beside the veth that goes around it is a severe condition")
    func extraMacvlan() {
        var host = Self.twoPods()
        host.evidence.namespaces[0].interfaces.append(
            .init(name: "net1", index: 3, kind: "", reach: .around, addresses: []))
        // What a pod builds of its own for itself is its business.
        host.evidence.namespaces[1].interfaces.append(
            .init(name: "dummy0", index: 3, kind: "dummy", reach: .inside, addresses: [Fixtures.address("10.0.0.1")]))
        host.look()
        #expect(host.severe == [.interfaceUnenforced])
        #expect(host.message(.interfaceUnenforced).contains("net1 (physical)"))
    }

    @Test("every veth of a pod is enforced, net1 too: in a second network with the addresses noted for it")
    func secondVeth() {
        var host = Self.twoPods()
        host.veth(17, into: 100, named: "net1", inside: "192.168.5.5")
        host.look()
        #expect(host.bound == [7: "shop/web", 8: "shop/spy", 17: "shop/web"])
        #expect(host.addresses(of: "shop/web") == ["10.0.0.1"])

        host.note("web", uid: "u-web", in: 100, "10.0.0.1")
        host.note("web", uid: "u-web", in: 100, interface: "net1", "192.168.5.5")
        host.look()
        #expect(host.bound == [7: "shop/web", 8: "shop/spy", 17: "shop/web@net1"])
        #expect(host.addresses(of: "shop/web@net1") == ["192.168.5.5"])
        #expect(host.table.effectivePod("shop/web@net1")?.metadata.labels == ["app": "web"])
        // An address of the second network that is another pod's in the first stays that pod's.
        host.evidence.attachments[1].addresses = [Fixtures.address("10.0.0.2")]
        host.look()
        #expect(host.addresses(of: "shop/web@net1") == [])
        #expect(host.severe == [])
    }

    /// A pod whose sandbox was made again: its object still tells the address of the one before.
    private static func madeAgain(_ pods: [Pod], interface: String = "eth0", isThere: Bool = true) -> BindingHost {
        var host = BindingHost(pods: pods)
        host.veth(17, into: 300)
        host.note(
            "web", uid: "u-web", in: isThere ? 300 : nil, interface: interface, host: "veth17", "10.0.0.9")
        host.look()
        return host
    }

    @Test(
        "a pod whose sandbox was made again sends from the address that the runtime noted, before its object tells it")
    func sandboxMadeAgain() {
        var host = Self.madeAgain([Self.web])
        #expect(host.bound == [17: "shop/web"])
        #expect(host.addresses(of: "shop/web") == ["10.0.0.9"])
        #expect(host.table.effectivePod("shop/web")?.addresses == [Fixtures.address("10.0.0.9")])
        // Its note goes, and it has its interface called otherwise: nothing changes, for the next agent either.
        host.evidence.attachments = []
        host.evidence.namespaces[0].interfaces[0].name = "net1"
        #expect(host.look().pods == [])
        host.restart(with: host.table.records, pods: [Self.web])
        #expect(host.addresses(of: "shop/web") == ["10.0.0.9"])
        // Without the object too; and with the one that tells it.
        _ = host.table.remove(namespace: "shop", name: "web")
        #expect(host.addresses(of: "shop/web") == ["10.0.0.9"])
        _ = host.table.upsert(Fixtures.pod("web", "10.0.0.9", uid: "u-web", node: "node-1"))
        #expect(host.addresses(of: "shop/web") == ["10.0.0.9"] && host.bound == [17: "shop/web"])
        #expect(host.severe == [])
    }

    @Test("the address of the sandbox before is not claimed by its pod any more, also where two pods changed theirs")
    func staleAddress() {
        // 10.0.0.1, which the object of web still tells, is late's by now.
        let late = Fixtures.pod("late", "10.0.0.1", uid: "u-late", node: "node-1")
        var host = Self.madeAgain([Self.web, late])
        host.veth(18, into: 400)
        host.note("late", uid: "u-late", in: 400, host: "veth18", "10.0.0.1")
        host.look()
        #expect(host.bound == [17: "shop/web", 18: "shop/late"])
        #expect(host.addresses(of: "shop/late") == ["10.0.0.1"] && host.addresses(of: "shop/web") == ["10.0.0.9"])
        #expect(host.severe == [])
        // Late's object goes: the address is still its own, as no live pod claims it.
        _ = host.table.remove(namespace: "shop", name: "late")
        host.look()
        #expect(host.addresses(of: "shop/late") == ["10.0.0.1"])
        // Each has the other's.
        let swapped = Fixtures.pod("late", "10.0.0.9", uid: "u-late", node: "node-1")
        _ = host.table.upsert(swapped)
        host.look()
        #expect(host.addresses(of: "shop/late") == ["10.0.0.1"] && host.addresses(of: "shop/web") == ["10.0.0.9"])
        #expect(host.severe == [])
    }

    @Test("what is noted of a second network, or of a sandbox that is gone, takes nothing from the object's addresses")
    func notTheFirstNetwork() {
        #expect(Self.madeAgain([Self.web], interface: "net1").addresses(of: "shop/web") == ["10.0.0.1"])
        #expect(Self.madeAgain([Self.web], isThere: false).addresses(of: "shop/web") == ["10.0.0.1"])
        // Nor what it calls its interface.
        var host = Self.madeAgain([Self.web], interface: "net1")
        host.evidence.attachments = []
        host.look()
        #expect(host.addresses(of: "shop/web") == ["10.0.0.1"])
        // With a second network beside: that one's are its own.
        host = Self.madeAgain([Self.web])
        host.veth(18, into: 300, named: "net1")
        host.note("web", uid: "u-web", in: 300, interface: "net1", host: "veth18", "192.168.5.5")
        host.look()
        #expect(host.bound == [17: "shop/web", 18: "shop/web@net1"])
        #expect(host.addresses(of: "shop/web") == ["10.0.0.9"])
        #expect(host.addresses(of: "shop/web@net1") == ["192.168.5.5"])
    }

    @Test("IPv4 on one interface and IPv6 on another are one pod, enforced on both")
    func familiesApart() {
        var pod = Self.web
        pod.addresses.append(Fixtures.address("fd00::1"))
        for source in [BindingTable.Source.folder, .apiServer] {
            var host = BindingHost(source, pods: [pod])
            host.veth(7, into: 100, inside: "10.0.0.1")
            host.veth(8, into: 100, named: "eth1", inside: "fd00::1")
            if source == .apiServer {
                host.route("10.0.0.1", over: 7)
                host.route("fd00::1", over: 8)
            }
            host.look()
            #expect(host.bound == [7: "shop/web", 8: "shop/web"])
            #expect(host.table.view.links.values.map(\.self) == [[7, 8]])
            #expect(host.addresses(of: "shop/web") == ["10.0.0.1", "fd00::1"])
        }
    }

    @Test("a running pod of which nothing is found is a severe condition after some looks, and waits before")
    func neverFound() {
        var host = BindingHost(pods: [Self.web])
        host.look()
        host.look()
        #expect(host.severe == [])
        #expect(host.table.view.waiting == [Self.web])
        host.look()
        #expect(host.severe == [.podUnenforced])
        #expect(host.message(.podUnenforced).contains("no interface and no network namespace of it was found"))
        host.veth(7, into: 100)
        host.cgroup(100, "u-web")
        host.look()
        #expect(host.severe == [])
        #expect(host.bound == [7: "shop/web"])
    }
}
