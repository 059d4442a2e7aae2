import BPFEmit
import PolicyAPI
import Support
import Testing

@testable import Agent
@testable import netpold

@Suite struct StatusRenderingTests {
    @Test("the page says how full and how large each table is, and how long the agent has been up")
    func page() {
        let status = StatusReport(
            instance: "default", processID: 7, uptimeSeconds: 3661, applyCount: 3, isInForce: true,
            health: Health(.init(generation: 3, appliedGeneration: 3)), policiesInForce: 2,
            policiesRefused: 0, endpointsReady: 1, endpointsWaiting: 0, namespacesUnknown: 0, attachments: ["tcx": 1],
            lastApplyMilliseconds: 12,
            capacities: [CapacityUse(name: "np_flows", used: 3, limit: 262_144, memoryBytes: 40 << 20)],
            reasons: [], eventsSuppressed: 0, eventsLost: 0, conditions: [])
        #expect(
            StatusRendering(style: TextStyle(isColoured: false)).lines(status) == [
                "health       everything is enforced as written",
                "agent        up, instance default, process 7, since 1 h 1 min",
                "applied      3 times, everything read is in force, latest change took 12 ms",
                "policies     2 in force, 0 refused",
                "endpoints    1 ready, 0 waiting, 0 without a pod",
                "attached by  tcx (1)",
                "events       0 not written by the kernel, 0 not sent to slow readers",
                "tables       1, 40.0 MiB, 0 nearly full; -o wide lists them",
            ])
        let wide = StatusRendering(style: TextStyle(isColoured: false), isWide: true).lines(status)
        #expect(
            wide.suffix(4) == [
                "tables       1, 40.0 MiB, 0 nearly full", "", "table     used  limit   memory",
                "np_flows  3     262144  40.0 MiB",
            ])
        var proxied = status
        var proxy = ProxyStatus(processID: 9, revision: 5)
        proxy.connections = 12
        proxy.refusedConnections = ["client-connections": 3, "connections": 1]
        proxied.proxy = proxy
        #expect(
            StatusRendering(style: TextStyle(isColoured: false)).lines(proxied)[6...7] == [
                "proxy        up, process 9, 12 connections",
                "             connections refused: client-connections 3, connections 1",
            ])
        var full = status
        full.capacities.append(CapacityUse(name: "np_addresses", used: 95, limit: 100, memoryBytes: nil))
        let page = StatusRendering(style: TextStyle(isColoured: false)).lines(full)
        #expect(page.last == "np_addresses  95    100    -" && !page.contains { $0.hasPrefix("np_flows") })
    }

    @Test(
        "what is not as written is said first and listed last, each problem once, and a page without many fits 24 lines"
    )
    func unhealthy() {
        let severe = Condition(kind: .brokenFile, subject: "a.yaml", message: "not YAML")
        var view = BindingView()
        view.waiting = [
            Pod(metadata: ObjectMeta(name: "db", namespace: "shop"), nodeName: "", addresses: [], phase: "Running")
        ]
        let status = StatusReport(
            instance: "default", processID: 7, uptimeSeconds: 61, applyCount: 3, isInForce: true,
            health: Health(.init(generation: 3, appliedGeneration: 3, view: view, conditions: [severe])),
            policiesInForce: 2, policiesRefused: 0, endpointsReady: 1, endpointsWaiting: 1, namespacesUnknown: 0,
            attachments: [:], lastApplyMilliseconds: 12,
            capacities: (0..<14).map { CapacityUse(name: "np_\($0)", used: 1, limit: 100, memoryBytes: 1) },
            reasons: ["denied", "allowed", "spoofed"].map {
                .init(reason: $0, sentence: $0, isDrop: true, count: PacketCount(packets: 1, bytes: 60))
            }, eventsSuppressed: 0, eventsLost: 0, conditions: [severe])
        let lines = StatusRendering(style: TextStyle(isColoured: false)).lines(status)
        #expect(lines[0] == "health       not everything is enforced as written: 2 problems")
        #expect(lines.count < 24)
        #expect(
            lines.suffix(3) == [
                "",
                "! shop/db: nothing is enforced on the pod: its interface was not found", "! a.yaml: not YAML",
            ])
    }

    @Test("of one namespace: its counts, and no problem that is plainly another's")
    func namespace() {
        func problem(_ subject: String) -> Condition {
            Condition(kind: .keptLastGood, subject: subject, message: "wrong")
        }
        let conditions = ["NetworkPolicy shop/web", "NetworkPolicy data/db", "data/db-0", "shop/web-1", "data/x.yaml"]
            .map(problem)
        let status = StatusReport(
            instance: "default", processID: 7, uptimeSeconds: 61, applyCount: 3, isInForce: true,
            health: Health(.init(generation: 3, appliedGeneration: 3, conditions: conditions)),
            policiesInForce: 3, policiesRefused: 2, endpointsReady: 2, endpointsWaiting: 0, namespacesUnknown: 0,
            attachments: [:], lastApplyMilliseconds: 12, capacities: [], reasons: [], eventsSuppressed: 0,
            eventsLost: 0, conditions: conditions)
        func policy(_ namespace: String?, _ name: String, _ state: PolicyReport.State) -> PolicyReport {
            PolicyReport(
                kind: "NetworkPolicy", namespace: namespace, name: name, state: state, origin: "a.yaml:1:1",
                generation: nil, reason: nil)
        }
        func endpoint(_ name: String, _ state: EndpointReport.State) -> EndpointReport {
            EndpointReport(
                name: name, addresses: [], ingressPolicies: [], egressPolicies: [], isIngressIsolated: false,
                isEgressIsolated: false, state: state)
        }
        let shop = status.of(
            namespace: "shop",
            policies: [
                policy("shop", "web", .lastGood), policy("data", "db", .ignored), policy(nil, "base", .inForce),
            ],
            endpoints: [endpoint("shop/web-1", .failed), endpoint("data/db-0", .ready), endpoint("/run/x", .isolated)])
        // data/x.yaml is a file: it may hold anything.
        let left = ["NetworkPolicy shop/web", "data/x.yaml", "shop/web-1"]
        #expect(shop.conditions.map(\.subject).sorted() == left)
        #expect(shop.health.problems.map(\.subject) == left)
        #expect(shop.policiesInForce == 1 && shop.policiesRefused == 1)
        #expect(shop.endpointsReady == 0 && shop.endpointsWaiting == 1)
    }
}
