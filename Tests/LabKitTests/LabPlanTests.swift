import NetTypes
import NetpoldTestSupport
import PolicyAPI
import Testing

@testable import LabKit

@Suite("Lab plan")
struct LabPlanTests {
    @Test("pods without addresses get one of each family that nobody else has")
    func addresses() {
        let plan = LabPlan(
            LabFixtures.cluster([LabFixtures.pod("a"), LabFixtures.pod("b", ["10.244.0.1"]), LabFixtures.pod("c")]),
            policies: [])
        #expect(
            plan.pods.map(\.addresses) == [
                ["10.244.0.2", "fd00:10:244::1"], ["10.244.0.1"], ["10.244.0.3", "fd00:10:244::2"],
            ])
        #expect(plan.nodes[0].addresses == ["192.168.244.1", "fd00:192:168::1"])
        #expect(plan.objects.pods.map { $0.addresses.isEmpty } == [false, false, false])
    }

    @Test("ports come from pods and policies, ranges at their edges, and one of each protocol that nobody names")
    func ports() {
        let plan = LabPlan(
            LabFixtures.cluster([
                LabFixtures.pod("a", ports: [ContainerPort(name: "http", protocol: .tcp, port: 8080)]),
                LabFixtures.pod("b", ports: [ContainerPort(name: "x", protocol: .sctp, port: 9)]),
            ]),
            policies: [
                LabFixtures.policy(
                    app: "a", peers: .everyone,
                    traffic: .anyOf([
                        .ports(.tcp, PortRange(9000, 9010)), .ports(.udp, .all), .named(.tcp, "http"),
                        .ports(.tcp, PortRange(4242)),
                    ]))
            ])
        #expect(
            plan.traffic.map(\.description) == [
                "TCP 4242", "TCP 4243", "TCP 8080", "TCP 8999", "TCP 9000", "TCP 9010", "TCP 9011", "UDP 4242", "ping",
            ])
        #expect(plan.notes == ["SCTP ports are not probed: the lab speaks TCP, UDP and ping"])
    }

    @Test("outside addresses: one in no prefix, one in each prefix, one in each exception, none of a pod")
    func outside() {
        let plan = LabPlan(
            LabFixtures.cluster([LabFixtures.pod("a", ["203.0.113.1"])]),
            policies: [
                LabFixtures.policy(
                    app: "a", direction: .egress,
                    peers: .anyOf([
                        .addresses(
                            LabFixtures.prefix("203.0.113.0/24"), except: [LabFixtures.prefix("203.0.113.128/25")],
                            .everywhere)
                    ]), traffic: .everything)
            ])
        #expect(
            plan.outside.map { "\($0.address) \($0.label)" } == [
                "198.18.0.1 in no prefix", "203.0.113.7 in 203.0.113.0/24",
                "203.0.113.129 in 203.0.113.128/25", "2001:db8:ffff::1 in no prefix",
            ])
    }

    @Test("nobody is asked for what both families lack, itself, or outside to outside")
    func flows() {
        let plan = LabPlan(
            LabFixtures.cluster([LabFixtures.pod("a", ["10.0.0.1"]), LabFixtures.pod("b", ["fd00::1"])]), policies: [])
        let pairs = Set(plan.flows.map { "\(plan.name(of: $0.from)) \(plan.name(of: $0.to))" })
        #expect(
            pairs == [
                "shop/a host", "host shop/a", "shop/b host", "host shop/b", "shop/a 198.18.0.1", "198.18.0.1 shop/a",
                "shop/b 2001:db8:ffff::1", "2001:db8:ffff::1 shop/b",
            ])
        #expect(plan.flows.count == 8 * 3)
    }

    @Test("predictions are the evaluator's; without enforcement everything is expected to pass")
    func predictions() {
        let objects = LabFixtures.cluster([LabFixtures.pod("a", ["10.0.0.1"]), LabFixtures.pod("b", ["10.0.0.2"])])
        let policies = [
            LabFixtures.policy(
                app: "a", peers: .anyOf([]), traffic: .everything)
        ]
        func toA(_ plan: LabPlan) -> [Bool] {
            plan.flows.filter { $0.from == .pod(1) && $0.to == .pod(0) }.map(\.prediction.passes)
        }
        #expect(toA(LabPlan(objects, policies: policies)) == [false, false, false])
        #expect(toA(LabPlan(objects, policies: policies, isEnforced: false)) == [true, true, true])
        let host = LabPlan(objects, policies: policies).flows.filter { $0.from == .node(0) && $0.to == .pod(0) }
        #expect(host.map(\.prediction.passes) == [true, true, true])
    }

    @Test("hostNetwork pods, finished pods and second owners of an address get no namespace, and the plan says so")
    func leftOut() {
        var host = LabFixtures.pod("h", ["192.168.0.1"])
        host.hostNetwork = true
        var done = LabFixtures.pod("z", ["10.0.0.9"])
        done.phase = "Succeeded"
        let plan = LabPlan(
            LabFixtures.cluster([
                host, done, LabFixtures.pod("a", ["10.0.0.1"]), LabFixtures.pod("b", ["10.0.0.1"]),
            ]), policies: [])
        #expect(plan.pods.map(\.qualifiedName) == ["shop/a"])
        #expect(
            plan.notes == [
                "shop/b has an address of shop/a: it gets no namespace",
                "shop/h uses the host's network: the node stands for it", "shop/z has finished: it owns no address",
            ])
    }

    @Test("the order of the objects changes nothing")
    func orderIsNothing() {
        let pods = ["a", "b", "c"].map { LabFixtures.pod($0) }
        let one = LabPlan(LabFixtures.cluster(pods), policies: [])
        let other = LabPlan(LabFixtures.cluster(pods.reversed()), policies: [])
        #expect(one.flows == other.flows)
        #expect(one.pods == other.pods)
    }
}
