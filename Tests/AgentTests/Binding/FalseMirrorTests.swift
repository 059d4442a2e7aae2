import BPFEmit
import NetTypes
import PolicyAPI
import Testing

@testable import Agent

/// Pod objects with an annotation that is the kubelet's to write: it names a UID, which is another pod's.
@Suite("binding: annotations that name another pod's UID")
struct FalseMirrorTests {
    private static let uid = "0b5b9a2e-7a6c-4c0f-9f38-2f1f6c1c9d11"
    private static let hash = "3f0a1c5e9b7d42468aceb13579bdf024"
    private static let victim = Fixtures.pod("web", "10.0.0.1", uid: uid, node: "node-1")

    /// An object of a tenant, in his own namespace.
    struct Forgery: CustomTestStringConvertible {
        var annotation: String
        var node: String
        var hostNetwork = false

        var testDescription: String { "\(annotation) on node \(node), host network \(hostNetwork)" }

        func pod(_ uid: String) -> Pod {
            var pod = Pod(
                metadata: ObjectMeta(
                    name: "a", namespace: "evil", labels: ["app": "a"],
                    annotations: ["kubernetes.io/\(annotation)": uid], uid: "77777777-2222-4333-8444-555555555555"),
                nodeName: node, phase: "Pending")
            pod.hostNetwork = hostNetwork
            return pod
        }
    }

    static let forgeries = ["config.hash", "config.mirror"].flatMap { annotation in
        ["", "node-1", "node-2"].flatMap { node in
            [false, true].map { Forgery(annotation: annotation, node: node, hostNetwork: $0) }
        }
    }

    /// A host with the interface of `victim`, of which a cgroup, a note or both say whose it is.
    private static func host(_ pods: [Pod], cgroup: Bool, note: Bool) -> BindingHost {
        var host = BindingHost(pods: pods)
        host.veth(7, into: 100, inside: "10.0.0.1")
        if cgroup { host.cgroup(100, uid) }
        if note { host.note("web", uid: uid, in: 100, "10.0.0.1") }
        host.look()
        return host
    }

    private static let signs = [(true, false), (false, true), (true, true)]

    @Test("a pod stays itself when its object goes or is made again", arguments: forgeries)
    func afterwards(forgery: Forgery) {
        for (cgroup, note) in Self.signs {
            var host = Self.host([Self.victim], cgroup: cgroup, note: note)
            _ = host.table.upsert(forgery.pod(Self.uid))
            host.look()
            #expect(host.bound == [7: "shop/web"] && host.severe == [])
            _ = host.table.remove(namespace: "shop", name: "web")
            host.look()
            #expect(host.bound == [7: "shop/web"])
            #expect(host.table.effectivePod("shop/web")?.metadata.labels == ["app": "web"])
            #expect(host.severe.contains(.podObjectGone))
            // Made again, as by a StatefulSet; the old interface lives.
            _ = host.table.upsert(Fixtures.pod("web", "10.0.0.9", uid: "u-next", node: "node-1"))
            host.look()
            #expect(host.bound == [7: "shop/web@\(Self.uid)"])
            #expect(host.addresses(of: "shop/web@\(Self.uid)") == ["10.0.0.1"])
            // The next agent.
            host.restart(with: host.table.records, pods: [forgery.pod(Self.uid)])
            #expect(host.bound == [7: "shop/web"])
            #expect(host.table.effectivePod("shop/web")?.metadata.labels == ["app": "web"])
        }
    }

    @Test("a pod is bound although such an object was there first, before the pod's own too", arguments: forgeries)
    func before(forgery: Forgery) {
        for (cgroup, note) in Self.signs {
            var host = Self.host([forgery.pod(Self.uid), Self.victim], cgroup: cgroup, note: note)
            #expect(host.bound == [7: "shop/web"] && host.severe == [])

            host = Self.host([forgery.pod(Self.uid)], cgroup: cgroup, note: note)
            #expect(host.bound == [:] && host.stubs == [7])
            _ = host.table.upsert(Self.victim)
            #expect(host.bound == [7: "shop/web"] && host.stubs == [])
        }
    }

    @Test("a static pod stays itself, and a note that names it says so", arguments: forgeries)
    func ofStaticPods(forgery: Forgery) {
        var mirror = Fixtures.pod("etcd", "10.0.0.1", uid: "u-api", node: "node-1")
        mirror.metadata.annotations = ["kubernetes.io/config.mirror": Self.hash]
        var host = BindingHost(pods: [forgery.pod(Self.hash), mirror])
        host.veth(7, into: 100)
        host.cgroup(100, Self.hash)
        host.note("etcd", uid: Self.hash, in: 100, "10.0.0.1")
        host.look()
        #expect(host.bound == [7: "shop/etcd"] && host.severe == [])
        _ = host.table.remove(namespace: "shop", name: "etcd")
        host.look()
        #expect(host.bound == [7: "shop/etcd"])
        #expect(host.table.effectivePod("shop/etcd")?.metadata.labels == ["app": "etcd"])
        #expect(host.severe.contains(.podObjectGone))
        // A mirror that is made again has another UID, and is the same pod.
        mirror.metadata.uid = "u-api-2"
        _ = host.table.upsert(mirror)
        host.look()
        #expect(host.bound == [7: "shop/etcd"] && host.severe == [])
    }

    @Test("a pod that is being made is not let start by such an object", arguments: forgeries)
    func admission(forgery: Forgery) {
        let reference = PodReference(namespace: "shop", name: "web", uid: Self.uid)
        #expect(!forgery.pod(Self.uid).agrees(with: reference))
        #expect(!forgery.pod(Self.uid).agrees(with: PodReference(uid: Self.uid)))
        #expect(!forgery.pod(Self.uid).isSame(as: Self.victim) && !Self.victim.isSame(as: forgery.pod(Self.uid)))
        #expect(Self.victim.agrees(with: reference) && Self.victim.agrees(with: PodReference(uid: Self.uid)))
    }
}
