import Agent
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

    private func goes(_ key: ObjectKey) -> ObjectNews { ObjectNews(.delete(key)) }

    @Test func aPodWaitsForItsNamespace() {
        var order = NamespaceOrder()
        #expect(order.pass([pod: comes(pod)]).isEmpty)
        #expect(Set(order.pass([shop: comes(shop)]).keys) == [shop, pod])
        // In one batch nothing waits.
        var other = NamespaceOrder()
        #expect(Set(other.pass([pod: comes(pod), shop: comes(shop)]).keys) == [shop, pod])
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
