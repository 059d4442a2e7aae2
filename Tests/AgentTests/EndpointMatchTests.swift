import PolicyAPI
import Testing

@testable import Agent

@Suite struct EndpointMatchTests {
    @Test("pods are matched to interfaces by address, the rest waits or is unknown")
    func lifecycle() {
        let pods = [Fixtures.pod("web", "10.0.0.1"), Fixtures.pod("db", "10.0.0.2")]
        let match = EndpointMatch(
            pods: pods,
            namespaces: [Fixtures.netns("n1", "10.0.0.1", ifindex: 7), Fixtures.netns("n2", "10.0.0.9", ifindex: 8)],
            node: "")
        #expect(match.attached.map(\.key.description) == ["shop/web"])
        #expect(match.attached.map(\.interface.ifindex) == [7])
        #expect(match.waiting.map(\.qualifiedName) == ["shop/db"])
        #expect(match.unknown.map(\.netns) == ["n2"])
        #expect(match.conditions.isEmpty)
    }

    @Test(
        "pods that own no address here match nothing and do not wait",
        arguments: [
            Fixtures.pod("a", "10.0.0.1", phase: "Succeeded"), Fixtures.pod("a", "10.0.0.1", phase: "Failed"),
            Fixtures.pod("a", "10.0.0.1", node: "elsewhere"),
            Pod(
                metadata: ObjectMeta(name: "a", namespace: "shop"), hostNetwork: true,
                addresses: [Fixtures.address("10.0.0.1")]),
        ])
    func notHere(pod: Pod) {
        let match = EndpointMatch(
            pods: [pod], namespaces: [Fixtures.netns("n1", "10.0.0.1", ifindex: 7)], node: "here")
        #expect(match.attached.isEmpty)
        #expect(match.waiting.isEmpty)
        #expect(match.unknown.count == 1)
    }

    @Test("a finished pod's address belongs to the pod that has it now")
    func reuse() {
        let match = EndpointMatch(
            pods: [
                Fixtures.pod("old", "10.0.0.1", uid: "1", phase: "Succeeded"),
                Fixtures.pod("new", "10.0.0.1", uid: "2"),
            ],
            namespaces: [Fixtures.netns("n1", "10.0.0.1", ifindex: 7)], node: "")
        #expect(match.attached.map(\.key.uid) == ["2"])
        #expect(match.conditions.isEmpty)
    }

    @Test("an address two live pods claim belongs to neither")
    func conflict() {
        let match = EndpointMatch(
            pods: [Fixtures.pod("a", "10.0.0.1"), Fixtures.pod("b", "10.0.0.1")],
            namespaces: [Fixtures.netns("n1", "10.0.0.1", ifindex: 7)], node: "")
        #expect(match.attached.isEmpty)
        #expect(match.unknown.count == 1)
        #expect(match.conditions.map(\.kind) == [.addressConflict])
    }

    @Test(
        "of two interfaces with a pod's address the newest is the pod's, and the other is reported", arguments: [0, 1])
    func leftOver(order: Int) {
        let found = [Fixtures.netns("old", "10.0.0.1", ifindex: 7), Fixtures.netns("new", "10.0.0.1", ifindex: 12)]
        let match = EndpointMatch(
            pods: [Fixtures.pod("a", "10.0.0.1")], namespaces: order == 0 ? found : found.reversed(), node: "")
        #expect(match.attached.map(\.interface.ifindex) == [12])
        #expect(match.unknown.map(\.netns) == ["old"])
        #expect(match.waiting.isEmpty)
    }

    @Test("an interface whose two addresses belong to two pods is unknown")
    func mixedInterface() {
        let match = EndpointMatch(
            pods: [Fixtures.pod("a", "10.0.0.1"), Fixtures.pod("b", "fd00::2")],
            namespaces: [Fixtures.netns("n1", "10.0.0.1", "fd00::2", ifindex: 7)], node: "")
        #expect(match.attached.isEmpty)
        #expect(match.unknown.count == 1)
    }
}
