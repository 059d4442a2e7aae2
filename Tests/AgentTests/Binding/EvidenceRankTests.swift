import BPFEmit
import NetTypes
import PolicyAPI
import Testing

@testable import Agent

@Suite("binding: evidence, best first")
struct EvidenceRankTests {
    private static let web = Fixtures.pod("web", "10.0.0.1", uid: "u-web", node: "node-1")
    private static let db = Fixtures.pod("db", "10.0.0.2", uid: "u-db", node: "node-1")

    @Test("each kind of evidence binds by itself", arguments: EvidenceRank.allCases)
    func alone(rank: EvidenceRank) {
        var host = BindingHost(.folder, pods: [Self.web, Self.db])
        host.veth(7, into: 100)
        var pinned: [UInt32: [IPAddress]] = [:]
        switch rank {
        case .insideAddress: host.shows(100, "10.0.0.1")
        case .hostRoute: host.route("10.0.0.1", over: 7)
        case .pinnedEndpoint: pinned = [7: Self.web.addresses]
        case .cniAddress: host.note("", in: 100, "10.0.0.1")
        case .podCgroup: host.cgroup(100, "u-web")
        case .cniCache: host.note("web", in: 100)
        case .cniRecord:
            host.note("web", in: 100)
            host.evidence.attachments[0].source = .netpold
        }
        host.restart(with: nil, pinned: pinned, pods: [Self.web, Self.db])
        #expect(host.bound == [7: "shop/web"])
        #expect(host.table.view.endpoints.map(\.rank) == [rank])
        #expect(host.severe == [])
    }

    /// Ranks that a test can give to either of two pods.
    private static let ranks: [EvidenceRank] = [.hostRoute, .cniAddress, .podCgroup, .cniCache, .cniRecord]

    private static func give(_ pod: Pod, _ rank: EvidenceRank, _ host: inout BindingHost) {
        let address = pod.addresses.first?.description ?? ""
        switch rank {
        case .hostRoute: host.route(address, over: 7)
        case .cniAddress: host.note("", in: 100, address)
        case .podCgroup: host.cgroup(100, pod.metadata.uid)
        case .cniCache: host.note(pod.metadata.name, uid: pod.metadata.uid, in: 100)
        case .cniRecord:
            host.note(pod.metadata.name, uid: pod.metadata.uid, in: 100)
            host.evidence.attachments[host.evidence.attachments.count - 1].source = .netpold
        case .insideAddress: host.shows(100, address)
        case .pinnedEndpoint: break
        }
    }

    @Test(
        "of two kinds that name two pods the better one binds, whichever came first; a worse one that comes later is reported"
    )
    func pairs() {
        for first in Self.ranks {
            for second in Self.ranks where second != first {
                var together = BindingHost(pods: [Self.web, Self.db])
                together.veth(7, into: 100)
                Self.give(Self.web, first, &together)
                Self.give(Self.db, second, &together)
                together.look()
                #expect(together.bound == [7: first > second ? "shop/web" : "shop/db"], "\(first) and \(second)")

                var later = BindingHost(pods: [Self.web, Self.db])
                later.veth(7, into: 100)
                Self.give(Self.web, first, &later)
                later.look()
                #expect(later.bound == [7: "shop/web"])
                Self.give(Self.db, second, &later)
                later.look()
                #expect(later.bound == [7: first > second ? "shop/web" : "shop/db"], "\(first), then \(second)")
                // The better evidence is still there and still speaks.
                #expect(later.table.view.waiting.count == 1)

                // Only the worse is left: nothing moves, and that is said.
                later.evidence.attachments = []
                later.evidence.routes = []
                later.cgroup(100)
                Self.give(first > second ? Self.db : Self.web, min(first, second), &later)
                later.look()
                #expect(later.bound == [7: first > second ? "shop/web" : "shop/db"])
                #expect(later.severe.contains(.bindingContradicted))
            }
        }
    }

    @Test("better evidence for a pod without object isolates, as the labels in force are another's")
    func betterAndMissing() {
        var host = BindingHost(pods: [Self.web])
        host.veth(7, into: 100)
        host.route("10.0.0.1", over: 7)
        host.look()
        #expect(host.bound == [7: "shop/web"])
        host.cgroup(100, "u-else")
        host.look()
        #expect(host.bound == [:])
        #expect(host.stubs == [7])
    }

    @Test("pods of a folder without UIDs are found by weaker evidence that a cgroup does not contradict")
    func noUIDs() {
        var host = BindingHost(.folder, pods: [Fixtures.pod("web", "10.0.0.1")])
        host.veth(7, into: 100)
        host.cgroup(100, "u-web")
        host.route("10.0.0.1", over: 7)
        host.look()
        #expect(host.bound == [7: "shop/web"])
    }

    @Test("a static pod runs under the hash of its manifest")
    func staticPod() {
        var mirror = Fixtures.pod("etcd", "10.0.0.1", uid: "u-api", node: "node-1")
        mirror.metadata.annotations = ["kubernetes.io/config.mirror": "0123456789abcdef"]
        var host = BindingHost(pods: [mirror])
        host.veth(7, into: 100)
        host.cgroup(100, "0123456789abcdef")
        host.look()
        #expect(host.bound == [7: "shop/etcd"])
        #expect(host.severe == [])
        // Its object goes: the next agent still knows it by that hash.
        let records = host.table.records
        host.restart(with: records, pods: [])
        host.table.upsertAndIgnore(mirror)
        #expect(host.bound == [7: "shop/etcd"])
        #expect(host.severe == [])
    }

    @Test("a manifest may give a static pod any UID: the note that names the pod says that its mirror is it")
    func staticPodOfAnyUID() {
        let uid = "11111111-2222-4333-8444-555555555555"
        var mirror = Fixtures.pod("etcd", "10.0.0.1", uid: "u-api", node: "node-1")
        mirror.metadata.annotations = ["kubernetes.io/config.mirror": uid]
        var host = BindingHost(pods: [mirror])
        host.veth(7, into: 100)
        host.note("etcd", uid: uid, in: 100, "10.0.0.1")
        host.look()
        #expect(host.bound == [7: "shop/etcd"] && host.severe == [])
    }

    @Test("a process of a pod on the host's network in somebody's namespace makes it nobody's")
    func debugProcess() {
        var tool = Fixtures.pod("tool", nil, uid: "u-tool", node: "node-1")
        tool.hostNetwork = true
        var host = BindingHost(pods: [Self.web, tool])
        host.veth(7, into: 100)
        host.cgroup(100, "u-tool", "u-web")
        host.look()
        #expect(host.bound == [7: "shop/web"])
        #expect(host.severe == [])
    }

    @Test("a note without UID of a namespace left over from the predecessor is not the new pod's")
    func leftOver() {
        var host = BindingHost(pods: [Fixtures.pod("web", "10.0.0.9", uid: "u-new", node: "node-1")])
        host.veth(7, into: 100)
        host.note("web", in: 100, "10.0.0.1")
        host.veth(8, into: 200)
        host.note("web", in: 200, "10.0.0.9")
        host.look()
        #expect(host.bound == [8: "shop/web"])
        #expect(host.stubs == [7])
        // The cgroup says it where the addresses do not.
        var other = BindingHost(pods: [Fixtures.pod("web", nil, uid: "u-new", node: "node-1")])
        other.veth(7, into: 100)
        other.note("web", in: 100)
        other.cgroup(100, "u-old")
        other.look()
        #expect(other.stubs == [7])
    }

    @Test(
        "a note that names the host's side finds it wherever the other end is; a name that is somebody else's now does not"
    )
    func hostSide() {
        var host = BindingHost(pods: [Self.web])
        host.veth(7, into: nil)
        host.note("web", uid: "u-web", in: nil, host: "veth7", "10.0.0.1")
        host.look()
        #expect(host.bound == [7: "shop/web"])
        var reused = BindingHost(pods: [Self.web])
        reused.veth(7, into: nil)
        reused.note("web", uid: "u-web", in: nil, host: "veth7", "10.0.0.1")
        reused.evidence.attachments[0].hostInterfaces = [.init(name: "veth7", mac: "de:ad:be:ef:00:01")]
        reused.look()
        #expect(reused.bound == [:])
    }

    @Test("a route to a pod that better evidence finds behind another interface says nothing of its own")
    func staleRoute() {
        var host = BindingHost(pods: [Self.web])
        host.veth(7, into: 100)
        host.veth(8, into: 200)
        host.route("10.0.0.1", over: 7)
        host.cgroup(200, "u-web")
        host.look()
        #expect(host.bound == [8: "shop/web"])
        #expect(host.foreign == [7])
        // Where the route was all there was, it has bound, and that stays.
        var late = BindingHost(pods: [Self.web])
        late.veth(7, into: 100)
        late.veth(8, into: 200)
        late.route("10.0.0.1", over: 7)
        late.look()
        late.cgroup(200, "u-web")
        late.look()
        #expect(late.bound == [7: "shop/web", 8: "shop/web"])
    }

    @Test("a note left over from the predecessor whose interface had the same name says nothing beside the live one's")
    func deadNote() {
        var host = BindingHost(pods: [Self.web])
        host.veth(7, into: 100)
        host.note("web", uid: "u-before", in: nil, host: "veth7", "10.0.0.1")
        // Alone it is all that is known.
        host.look()
        #expect(host.stubs == [7])
        host.note("web", uid: "u-web", in: 100, host: "veth7", "10.0.0.1")
        host.look()
        #expect(host.bound == [7: "shop/web"])
        #expect(host.severe == [])
    }

    @Test("a Pod object with more addresses than a pod can have is enforced with one of each family")
    func tooManyAddresses() {
        var pod = Self.web
        pod.addresses = ["10.0.0.9", "10.0.0.1", "fd00::1", "10.0.0.5"].map(Fixtures.address)
        var host = BindingHost(pods: [pod])
        host.veth(7, into: 100)
        host.cgroup(100, "u-web")
        host.look()
        #expect(host.addresses(of: "shop/web") == ["10.0.0.1", "fd00::1"])
    }

    @Test("an address routed over two interfaces says nothing")
    func routedTwice() {
        var host = BindingHost(pods: [Self.web])
        host.veth(7, into: 100)
        host.veth(8, into: 200)
        host.route("10.0.0.1", over: 7)
        host.route("10.0.0.1", over: 8)
        host.look()
        #expect(host.bound == [:])
    }

    @Test(
        "a pod whose object has no address yet sends from those noted for it, and keeps addresses that its object loses"
    )
    func notedAddresses() {
        var host = BindingHost(pods: [Fixtures.pod("web", nil, uid: "u-web", node: "node-1", phase: "Pending")])
        host.veth(7, into: 100, inside: "10.0.0.66")
        host.note("web", uid: "u-web", in: 100, "10.0.0.1", "fd00::1", "10.0.0.3")
        host.look()
        #expect(host.addresses(of: "shop/web") == ["10.0.0.1", "fd00::1"])
        _ = host.table.upsert(Self.web)
        #expect(host.addresses(of: "shop/web") == ["10.0.0.1"])
        var lost = Self.web
        lost.addresses = []
        host.evidence.attachments = []
        host.look()
        _ = host.table.upsert(lost)
        #expect(host.addresses(of: "shop/web") == ["10.0.0.1"])
    }

    @Test("a finished pod stays enforced while its interface is there, and its address is whose it is now")
    func finished() {
        var host = BindingHost(pods: [Self.web])
        host.veth(7, into: 100)
        host.cgroup(100, "u-web")
        host.look()
        _ = host.table.upsert(Fixtures.pod("web", "10.0.0.1", uid: "u-web", node: "node-1", phase: "Succeeded"))
        #expect(host.bound == [7: "shop/web"])
        #expect(host.table.effectivePod("shop/web")?.phase == "Running")
        #expect(host.addresses(of: "shop/web") == ["10.0.0.1"])
        #expect(host.severe == [] && host.mild == [.podFinished])
        _ = host.table.upsert(Fixtures.pod("next", "10.0.0.1", uid: "u-next", node: "node-2"))
        #expect(host.bound == [7: "shop/web"])
        #expect(host.addresses(of: "shop/web") == [])
        // An agent that starts now finds it finished.
        host.restart(
            with: nil, pods: [Fixtures.pod("web", "10.0.0.1", uid: "u-web", node: "node-1", phase: "Failed")])
        #expect(host.bound == [7: "shop/web"])
        #expect(host.table.effectivePod("shop/web")?.isFinished == false)
    }
}

extension BindingTable {
    fileprivate mutating func upsertAndIgnore(_ pod: Pod) { _ = upsert(pod) }
}
