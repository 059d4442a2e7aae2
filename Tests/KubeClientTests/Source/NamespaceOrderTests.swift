import Agent
import KubeClient
import PolicyAPI
import Testing

@testable import KubeObjects

/// Which Pods and Namespaces are handed on when.
struct NamespaceOrderTests {
    private func key(_ kind: ObjectKind, _ namespace: String, _ name: String) -> ObjectKey {
        ObjectKey(kind: kind.rawValue, namespace: namespace, name: name)
    }

    private var shop: ObjectKey { key(.namespace, "", "shop") }
    private var pod: ObjectKey { key(.pod, "shop", "db") }

    private func comes(_ key: ObjectKey) -> ObjectNews {
        let meta = ObjectMeta(name: key.name, namespace: key.namespace)
        let object: ClusterObject =
            key.objectKind == .pod ? .pod(Pod(metadata: meta)) : .namespace(Namespace(metadata: meta))
        return ObjectNews(.upsert(object, origin: .server(ObjectVersion(resourceVersion: "1")), warnings: []))
    }

    private func isRefused(_ key: ObjectKey) -> ObjectNews {
        ObjectNews(
            .refused(
                RefusedObject(
                    key: key, origin: .server(ObjectVersion(resourceVersion: "2")), diagnostics: [], isolating: [])))
    }

    private func goes(_ key: ObjectKey) -> ObjectNews { ObjectNews(.delete(key)) }

    @Test func aPodWaitsForItsNamespace() {
        var order = NamespaceOrder()
        #expect(order.pass([pod: comes(pod)]).isEmpty)
        #expect(Set(order.pass([shop: comes(shop)]).keys) == [shop, pod])
        // In one batch nothing waits.
        var other = NamespaceOrder()
        #expect(Set(other.pass([pod: comes(pod), shop: comes(shop)]).keys) == [shop, pod])
    }

    /// What stands in for the Namespace closes the pods in it: those that are handed on.
    @Test("the pods of a refused Namespace do not wait for a good one")
    func aRefusedNamespaceIsThere() {
        var order = NamespaceOrder()
        #expect(Set(order.pass([pod: comes(pod), shop: isRefused(shop)]).keys) == [shop, pod])
        var later = NamespaceOrder()
        _ = later.pass([pod: comes(pod)])
        #expect(Set(later.pass([shop: isRefused(shop)]).keys) == [shop, pod])
        // Made again, and refused: its end is not waited for.
        var again = NamespaceOrder()
        _ = again.pass([pod: comes(pod), shop: comes(shop)])
        var news = goes(shop)
        news.add(isRefused(shop))
        #expect(Set(again.pass([shop: news]).keys) == [shop])
        #expect(Set(again.pass([pod: goes(pod)]).keys) == [pod])
    }

    private func comes(_ key: ObjectKey, at address: String, hostNetwork: Bool = false) throws -> ObjectNews {
        let text = """
            {"metadata":{"name":"\(key.name)","namespace":"\(key.namespace)"},
            "spec":{"hostNetwork":\(hostNetwork),"containers":[]},"status":{"podIP":"\(address)"}}
            """
        let bytes = Array(text.utf8)
        let head = try ObjectHead(scanning: bytes)
        guard
            case .good(let object, _) = WireObjectDecoder().decode(.pod, bytes[...], head: head, apiVersion: "v1")
        else { throw EnvelopeFailure("no pod: \(text)") }
        return ObjectNews(.upsert(object, origin: .server(ObjectVersion(resourceVersion: "1")), warnings: []))
    }

    /// Its addresses would count as outside the cluster, where no deny that names pods reaches them.
    @Test("what waits for its Namespace has its addresses closed, until the Namespace comes or it goes")
    func addressesOfWaitingPodsAreClosed() throws {
        var order = NamespaceOrder()
        // Before namespaces have been listed nothing is in force.
        #expect(order.pass([pod: try comes(pod, at: "10.0.0.1")], isListed: false).isEmpty)
        let closed = order.pass([:])
        guard case .refused(let refused)? = closed[pod]?.events.first else {
            Issue.record("\(closed)")
            return
        }
        #expect(closed.count == 1 && !refused.isolating.isEmpty && refused.key == pod)
        #expect(order.pass([:]).isEmpty, "it is said once")
        // Its addresses are none of its own: nothing stands in any more.
        #expect(order.pass([pod: try comes(pod, at: "10.0.0.1", hostNetwork: true)])[pod]?.isDelete == true)
        #expect(order.pass([pod: try comes(pod, at: "10.0.0.2")])[pod]?.isRefused == true)
        let there = order.pass([shop: comes(shop)])
        #expect(Set(there.keys) == [shop, pod] && there[pod]?.isUpsert == true && there[pod]?.isRefused == false)
        var other = NamespaceOrder()
        _ = other.pass([pod: try comes(pod, at: "10.0.0.1")])
        #expect(other.pass([pod: goes(pod)])[pod]?.isDelete == true)
        #expect(Set(other.pass([shop: comes(shop)]).keys) == [shop])
    }

    @Test func aPodThatGoesWhileItWaitsDoesNotComeLater() {
        var order = NamespaceOrder()
        _ = order.pass([pod: comes(pod)])
        _ = order.pass([pod: goes(pod)])
        #expect(Set(order.pass([shop: comes(shop)]).keys) == [shop])
    }

    @Test func aNamespaceStaysWhileItHasPods() {
        var order = NamespaceOrder()
        _ = order.pass([pod: comes(pod), shop: comes(shop)])
        #expect(order.pass([shop: goes(shop)]).isEmpty)
        #expect(Set(order.pass([pod: goes(pod)]).keys) == [shop, pod])
        #expect(order.pass([pod: comes(pod)]).isEmpty)
    }

    @Test func aNamespaceThatComesBackHasNotGone() {
        var order = NamespaceOrder()
        _ = order.pass([pod: comes(pod), shop: comes(shop)])
        _ = order.pass([shop: goes(shop)])
        _ = order.pass([shop: comes(shop)])
        #expect(Set(order.pass([pod: goes(pod)]).keys) == [pod])
    }
}
