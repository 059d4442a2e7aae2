import BPFEmit
import PolicyAPI
import PolicyAnalysis
import PolicyIR

@testable import Agent

/// One message of each type of the local API, with its line as it goes over the wire.
enum APIMessages {
    struct Sample<Message: APIMessage>: Sendable {
        var message: Message
        var line: String
    }

    static let requests: [Sample<APIRequest>] = [
        Sample(message: .status, line: #"{"type":"status","version":2}"#),
        Sample(
            message: .list(ListRequest(.rules, namespace: "shop", after: "shop/db ingress 00000003")),
            line:
                #"{"after":"shop/db ingress 00000003","listing":"rules","namespace":"shop","type":"list","version":2}"#),
        Sample(message: .health, line: #"{"type":"health","version":2}"#),
        Sample(
            message: .monitor(MonitorFilter(dropsOnly: true, pod: "shop/web", policy: "shop/db")),
            line: #"{"dropsOnly":true,"pod":"shop/web","policy":"shop/db","type":"monitor","version":2}"#),
        Sample(
            message: .wait(timeoutMilliseconds: 30_000),
            line: #"{"timeoutMilliseconds":30000,"type":"wait","version":2}"#),
        Sample(
            message: .waitPolicy(
                PolicyWaitRequest(
                    policy: PolicyName(kind: "NetworkPolicy", namespace: "shop", name: "db"),
                    timeoutMilliseconds: 30_000)),
            line: #"{"isGone":false,"policy":{"kind":"NetworkPolicy","name":"db","namespace":"shop"},"#
                + #""timeoutMilliseconds":30000,"type":"waitPolicy","version":2}"#),
        Sample(
            message: .explain(
                ExplainRequest(
                    FlowText(from: "shop/web", to: "shop/db", traffic: "5432/TCP"),
                    request: .http(
                        HTTPRequest(
                            method: "GET", path: "/cart", host: "api", headers: [HTTPRequest.Header("X-Token", "abc")]))
                )),
            line:
                #"{"from":"shop/web","http":{"headers":[["X-Token","abc"]],"host":"api","method":"GET","path":"/cart"},"#
                + #""to":"shop/db","traffic":"5432/TCP","type":"explain","version":2}"#),
        Sample(message: .reload(acceptEmpty: true), line: #"{"acceptEmpty":true,"type":"reload","version":2}"#),
        Sample(
            message: .admit(
                PodAdmission(
                    pod: PodReference(namespace: "shop", name: "db", uid: "8f6a"), interfaces: [12],
                    timeoutMilliseconds: 10_000)),
            line: #"{"interfaces":[12],"pod":{"name":"db","namespace":"shop","uid":"8f6a"},"#
                + #""timeoutMilliseconds":10000,"type":"admit","version":2}"#),
    ]

    static let replies: [Sample<APIReply>] = [
        Sample(message: .status(status), line: statusLine),
        Sample(message: .page(ListingPage(.endpoints([endpoint]))), line: endpointsLine),
        Sample(
            message: .page(
                ListingPage(
                    .names([
                        NameReport(
                            pod: "shop/web",
                            names: [
                                .init(
                                    name: "a.example", addresses: [.init(address: "192.0.2.7", seconds: 30)],
                                    selectors: ["*.example"])
                            ], denied: [.init(name: "b.example", kind: "dns", remote: "10.0.0.53", count: 2)],
                            entries: 1,
                            refused: 0, unlearnt: 3)
                    ]))),
            line:
                #"{"page":{"leftOut":0,"listing":"names","rows":[{"denied":[{"count":2,"kind":"dns","name":"b.example","remote":"10.0.0.53"}],"entries":1,"#
                + #""names":[{"addresses":[{"address":"192.0.2.7","seconds":30}],"name":"a.example","#
                + #""selectors":["*.example"]}],"pod":"shop/web","refused":0,"unlearnt":3}]},"type":"page","version":2}"#
        ),
        Sample(
            message: .page(
                ListingPage(
                    .policies([
                        PolicyReport(
                            kind: "AdminNetworkPolicy", namespace: nil, name: "base", state: .inForce,
                            origin: "base.yaml:1:1", generation: nil, reason: nil)
                    ]), next: "AdminNetworkPolicy//base")),
            line: #"{"page":{"leftOut":0,"listing":"policies","next":"AdminNetworkPolicy//base","rows":["#
                + #"{"kind":"AdminNetworkPolicy","name":"base","origin":"base.yaml:1:1","state":"inForce"}]},"#
                + #""type":"page","version":2}"#),
        Sample(
            message: .page(
                ListingPage(
                    .rules([
                        RuleReport(
                            pod: "shop/db", direction: "ingress", number: 0, verdict: .allow,
                            rule: FlowVerdict.Rule(
                                object: "NetworkPolicy shop/db", path: "spec.ingress[0]", place: "db.yaml:9:5"),
                            packets: 12, sharedWith: 1)
                    ]))),
            line: #"{"page":{"leftOut":0,"listing":"rules","rows":[{"direction":"ingress","number":0,"packets":12,"#
                + #""pod":"shop/db","rule":{"object":"NetworkPolicy shop/db","path":"spec.ingress[0]","#
                + #""place":"db.yaml:9:5"},"sharedWith":1,"verdict":"allow"}]},"type":"page","version":2}"#),
        Sample(
            message: .page(
                ListingPage(
                    .identities([IdentityReport(identity: 300, label: "shop app=db", addresses: 2, prefixes: 0)]))),
            line: #"{"page":{"leftOut":0,"listing":"identities","rows":[{"addresses":2,"identity":300,"#
                + #""label":"shop app=db","prefixes":0}]},"type":"page","version":2}"#),
        Sample(
            message: .page(
                ListingPage(
                    .services([
                        ServiceRow(
                            service: "shop/db", address: "10.96.0.7", port: 5432, protocol: "TCP", kind: "cluster IP",
                            portName: "sql", backends: ["10.0.0.2:5432"])
                    ]))),
            line: #"{"page":{"leftOut":0,"listing":"services","rows":[{"address":"10.96.0.7","#
                + #""backends":["10.0.0.2:5432"],"kind":"cluster IP","port":5432,"portName":"sql","protocol":"TCP","#
                + #""service":"shop/db"}]},"type":"page","version":2}"#),
        Sample(
            message: .page(
                ListingPage(
                    .conntrack([
                        FlowRow(
                            pod: "shop/web", direction: "egress", protocol: "TCP", own: "10.0.0.1:40000",
                            remote: "10.0.0.2:5432", translated: "10.96.0.7:5432", isAnswered: true, isClosing: false,
                            silentSeconds: 4, revision: 3)
                    ]), leftOut: 17)),
            line: #"{"page":{"leftOut":17,"listing":"conntrack","rows":[{"direction":"egress","isAnswered":true,"#
                + #""isClosing":false,"own":"10.0.0.1:40000","pod":"shop/web","protocol":"TCP","#
                + #""remote":"10.0.0.2:5432","revision":3,"silentSeconds":4,"translated":"10.96.0.7:5432"}]},"#
                + #""type":"page","version":2}"#),
        Sample(
            message: .page(
                ListingPage(
                    .maps([CapacityUse(name: "np_flow_sets", used: 3, limit: 524_288, memoryBytes: 33_558_528)]))),
            line: #"{"page":{"leftOut":0,"listing":"maps","rows":[{"limit":524288,"memoryBytes":33558528,"#
                + #""name":"np_flow_sets","used":3}]},"type":"page","version":2}"#),
        Sample(message: .health(health), line: #"{"health":\#(healthText),"type":"health","version":2}"#),
        Sample(message: .verdict(Fixtures.verdict()), line: verdictLine),
        Sample(message: .lost(9), line: #"{"count":9,"type":"lost","version":2}"#),
        Sample(
            message: .waited(inForce: true, applyCount: 7),
            line: #"{"applyCount":7,"inForce":true,"type":"waited","version":2}"#),
        Sample(
            message: .policyWaited(
                PolicyWaitReport(
                    .refused,
                    policies: [
                        PolicyReport(
                            kind: "NetworkPolicy", namespace: "shop", name: "db", state: .lastGood,
                            origin: "resource version 4711", generation: 3,
                            reason: "refused, the last good version stays in force: spec.prots: unknown field")
                    ], reason: "NetworkPolicy shop/db: refused")),
            line: #"{"type":"policyWaited","version":2,"wait":{"outcome":"refused","policies":[{"generation":3,"#
                + #""kind":"NetworkPolicy","name":"db","namespace":"shop","origin":"resource version 4711","#
                + #""reason":"refused, the last good version stays in force: spec.prots: unknown field","#
                + #""state":"lastGood"}],"reason":"NetworkPolicy shop/db: refused"}}"#),
        Sample(
            message: .explained(
                ExplainReport(
                    mistake: nil,
                    lines: [
                        .init(role: "verdict", text: "ALLOWED shop/web -> shop/db TCP 5432"),
                        .init(role: "rule", text: "    rule 0", file: "db.yaml", line: 9, column: 5),
                    ], passes: true, needsProxy: false, report: "{}")),
            line: #"{"explanation":{"lines":[{"role":"verdict","text":"ALLOWED shop/web -> shop/db TCP 5432"},"#
                + #"{"column":5,"file":"db.yaml","line":9,"role":"rule","text":"    rule 0"}],"needsProxy":false,"#
                + #""passes":true,"report":"{}"},"type":"explained","version":2}"#),
        Sample(
            message: .admitted(inForce: false, reason: "the agent has no Pod object of shop/db for veth7 yet"),
            line: #"{"inForce":false,"reason":"the agent has no Pod object of shop/db for veth7 yet","#
                + #""type":"admitted","version":2}"#),
        Sample(
            message: .reloaded(ReloadReport(dropped: ["NetworkPolicy shop/db"], kept: ["Pod shop/web"])),
            line: #"{"reload":{"conditions":[],"dropped":["NetworkPolicy shop/db"],"kept":["Pod shop/web"]},"#
                + #""type":"reloaded","version":2}"#),
        Sample(
            message: .error(APIError(.unknownType, #"the type "reboot" is not known"#)),
            line: #"{"error":{"code":"unknown-type","message":"the type \"reboot\" is not known"},"#
                + #""type":"error","version":2}"#),
    ]

    private static let health = Health(
        Health.Facts(
            generation: 3, appliedGeneration: 3, workingFor: .seconds(300),
            conditions: [
                Condition(kind: .endpointFailed, subject: "shop/db", message: "veth7: no such device")
            ]))
    private static let standstillText =
        #"{"message":"one piece of work on the kernel has been going on for 300 s","subject":"agent"}"#
    private static let failedText = #"{"message":"veth7: no such device","subject":"shop/db"}"#
    private static let healthText =
        #"{"faults":[\#(standstillText),\#(failedText)],"problems":[\#(standstillText),\#(failedText)],"#
        + #""standstill":\#(standstillText)}"#

    private static let proxy = {
        var status = ProxyStatus(processID: 4_712, revision: 5)
        status.connections = 12
        status.refusedConnections = ["client-connections": 3]
        status.serverFaults = ["interim-responses": 1]
        return status
    }()

    private static let status = StatusReport(
        instance: "default", processID: 4711, uptimeSeconds: 3600, applyCount: 7, isInForce: true, health: health,
        policiesInForce: 12,
        policiesRefused: 1, endpointsReady: 3, endpointsWaiting: 1, namespacesUnknown: 0, attachments: ["tcx": 3],
        lastApplyMilliseconds: 24,
        services: ServiceChoice(asked: nil, findings: []), proxy: proxy,
        capacities: [CapacityUse(name: "np_flow_sets", used: 3, limit: 524_288, memoryBytes: 33_558_528)],
        reasons: [
            .init(
                reason: "NP_DROP_POLICY_DEFAULT", sentence: "a policy isolates the pod and no rule allows the flow",
                isDrop: true, count: PacketCount(packets: 5, bytes: 300))
        ], eventsSuppressed: 0, eventsLost: 0,
        conditions: [
            Condition(
                kind: .keptLastGood, subject: "NetworkPolicy shop/db",
                message: "refused, the last good version stays in force: db.yaml:4:3: error: spec.prots: unknown field")
        ])

    private static let statusLine =
        #"{"status":{"applyCount":7,"attachments":{"tcx":3},"#
        + #""capacities":[{"limit":524288,"memoryBytes":33558528,"name":"np_flow_sets","used":3}],"#
        + #""conditions":[{"kind":"keptLastGood","message":"refused, the last good version stays in force: "#
        + #"db.yaml:4:3: error: spec.prots: unknown field","subject":"NetworkPolicy shop/db"}],"#
        + #""endpointsReady":3,"endpointsWaiting":1,"eventsLost":0,"eventsSuppressed":0,"health":\#(healthText),"inForce":true,"#
        + #""instance":"default","lastApplyMilliseconds":24,"namespacesUnknown":0,"policiesInForce":12,"#
        + #""policiesRefused":1,"processID":4711,"proxy":{"clientFaults":{},"connections":12,"pid":4712,"#
        + #""refusedConnections":{"client-connections":3},"revision":5,"serverFaults":{"interim-responses":1}},"#
        + #""reasons":[{"count":{"bytes":300,"packets":5},"isDrop":true,"#
        + #""reason":"NP_DROP_POLICY_DEFAULT","sentence":"a policy isolates the pod and no rule allows the flow"}],"#
        + #""services":{"mode":"translate","reason":"detected: nothing else that translates Services was found"},"#
        + #""uptimeSeconds":3600},"type":"status","version":2}"#

    private static let endpoint = EndpointReport(
        name: "shop/db", addresses: ["10.0.0.2"], netns: "cni-7", interface: "veth7", ifindex: 12, slot: 0,
        identity: 300, ingressPolicies: ["NetworkPolicy shop/db"], egressPolicies: [], isIngressIsolated: true,
        isEgressIsolated: false, revision: 3, state: .orphan, evidence: "cniCache",
        reason: "there is no such Pod object any more, and its interface veth7 is still there",
        flows: FlowShare(
            used: 12, answered: 9, room: 1024, canGrow: true, inserted: 40, evicted: 3, refused: 0))

    private static let endpointsLine =
        #"{"page":{"leftOut":0,"listing":"endpoints","rows":[{"addresses":["10.0.0.2"],"egressPolicies":[],"evidence":"cniCache","#
        + #""flows":{"answered":9,"canGrow":true,"evicted":3,"inserted":40,"refused":0,"room":1024,"used":12},"#
        + #""identity":300,"ifindex":12,"#
        + #""ingressPolicies":["NetworkPolicy shop/db"],"interface":"veth7","isEgressIsolated":false,"#
        + #""isIngressIsolated":true,"name":"shop/db","netns":"cni-7","#
        + #""reason":"there is no such Pod object any more, and its interface veth7 is still there","#
        + #""revision":3,"slot":0,"state":"orphan"}]},"#
        + #""type":"page","version":2}"#

    private static let verdictLine =
        #"{"type":"verdict","verdict":{"destination":{"address":"10.0.0.2","pod":"shop/db","port":5432},"#
        + #""direction":"ingress","isDrop":true,"isolatedBy":[{"object":"NetworkPolicy shop/db","path":"","#
        + #""place":"a.yaml:1:1"}],"length":60,"nearestMiss":"NetworkPolicy shop/db spec.ingress[0] (a.yaml:9:5): "#
        + #"port 5432 is not in 80","protocol":"TCP","reason":"NP_DROP_POLICY_DEFAULT","revision":3,"#
        + #""sentence":"a policy isolates the pod and no rule allows the flow","#
        + #""source":{"address":"10.0.0.1","pod":"shop/web","port":4311},"subject":"shop/db","#
        + #""timeMilliseconds":1000},"version":2}"#
}
