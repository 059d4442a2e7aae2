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
                "",
                "table     used  limit   memory",
                "np_flows  3     262144  40.0 MiB",
            ])
    }

    @Test("what is not as written is said first, and each problem is listed once")
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
            attachments: [:], lastApplyMilliseconds: 12, capacities: [], reasons: [], eventsSuppressed: 0,
            eventsLost: 0, conditions: [severe])
        let lines = StatusRendering(style: TextStyle(isColoured: false)).lines(status)
        #expect(lines[0] == "health       not everything is enforced as written: 2 problems")
        #expect(
            lines.filter { $0.hasPrefix("!") } == [
                "! shop/db: nothing is enforced on the pod: its interface was not found", "! a.yaml: not YAML",
            ])
    }
}
