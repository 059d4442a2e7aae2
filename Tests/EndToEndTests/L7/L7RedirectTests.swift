import BPFEmit
import CNetpoldABI
import Foundation
import Glibc
import NetTypes
import Testing

@testable import Datapath

/// TCP connections that L7 rules decide go through the proxy's namespace, whoever opens them and whoever has the rules.
@Suite("L7 flows go to the proxy", .enabled(if: L7World.canRun, "needs root, containernetworking-plugins, python3"))
struct L7RedirectTests {
    /// How many connections a test makes; more in release checks.
    private static let connections =
        ProcessInfo.processInfo.environment["NETPOLD_L7_CONNECTIONS"].flatMap { Int($0) } ?? 1000

    private func world(
        _ setting: L7World.Setting, _ topology: EdgeNode.Topology = .ptp, _ attachment: AttachmentStyle = .automatic
    ) throws -> L7World {
        let world = try L7World(topology, attachment, reversePathFilter: 1)
        try world.apply(setting)
        try world.startRelay()
        return world
    }

    @Test(
        "36 of 36: rules at either end or both, between pods and with the outside, both families, allowed and denied",
        arguments: [EdgeNode.Topology.ptp, .bridge], [AttachmentStyle.automatic, .clsact])
    func matrix(_ topology: EdgeNode.Topology, _ attachment: AttachmentStyle) throws {
        let world = try L7World(topology, attachment, reversePathFilter: attachment == .clsact ? 1 : 2)
        for (number, setting) in L7World.Setting.allCases.enumerated() {
            try world.apply(setting)
            if number == 0 { try world.startRelay() }
            let failures = try world.failures(setting)
            #expect(failures == [])
        }
    }

    @Test("36 of 36 through Services", arguments: [EdgeNode.Topology.ptp, .bridge])
    func matrixThroughServices(_ topology: EdgeNode.Topology) throws {
        let world = try L7World(topology, reversePathFilter: 1)
        for (number, setting) in L7World.Setting.allCases.enumerated() {
            try world.apply(setting)
            if number == 0 { try world.startRelay() }
            let failures = try world.failures(setting, throughService: true)
            #expect(failures == [])
        }
    }

    @Test("36 of 36 with netpold proxy", arguments: [EdgeNode.Topology.ptp, .bridge])
    func matrixWithTheProxy(_ topology: EdgeNode.Topology) throws {
        let world = try L7World(topology, reversePathFilter: 1)
        for (number, setting) in L7World.Setting.allCases.enumerated() {
            try world.apply(setting)
            if number == 0 { try world.startProxy() }
            let failures = try world.failures(setting)
            #expect(failures == [])
            let through = try world.failures(setting, throughService: true)
            #expect(through == [])
        }
        let size = 8_000_000
        for way in L7World.Way.allCases {
            for v6 in [false, true] {
                #expect(try world.ask(way, v6: v6, "/api/upload", ["body": size]).body == "got \(size)")
                #expect(try world.ask(way, v6: v6, "/api/download/\(size)").length == size)
            }
        }
    }

    @Test("a proxy that starts first waits for its place, and serves once the agent has made it")
    func startsFirst() throws {
        let world = try L7World(.ptp, reversePathFilter: 1)
        try world.startProxy { try world.apply(.ingress) }
        #expect(try world.proxyServes())
        let way = L7World.Way.outsideToPod
        let path = "/api/\(way)"
        #expect(
            try world.ask(way, v6: false, path).body == world.expected(.ingress, way, v6: false, path))
    }

    @Test("the access log names the pods at each end; the outside has no name", arguments: [false, true])
    func podNames(v6: Bool) throws {
        let world = try L7World(.ptp, reversePathFilter: 1)
        try world.apply(.ingress)
        try world.startProxyOfAgent()
        try world.apply(.both)
        for way in L7World.Way.allCases {
            #expect(try world.ask(way, v6: v6, "/api/\(way)").body == world.expected(.both, way, v6: v6, "/api/\(way)"))
        }
        func lines() -> [[String: Any]] {
            let text = (try? String(contentsOfFile: world.accessLog, encoding: .utf8)) ?? ""
            return text.split(separator: "\n").compactMap {
                try? JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any]
            }
        }
        for _ in 0..<500 where lines().count < 3 { usleep(10_000) }
        let ends = Dictionary(
            lines().map { line in
                (line["path"] as? String ?? "", [line["clientPod"] as? String, line["serverPod"] as? String])
            }
        ) { first, _ in first }
        #expect(
            ends == [
                "/api/podToPod": ["edge/a", "edge/b"], "/api/podToOutside": ["edge/a", nil],
                "/api/outsideToPod": [nil, "edge/b"],
            ])
    }

    @Test(
        "large bodies both ways, half-closed connections, resets of either end", arguments: L7World.Way.allCases,
        [false, true])
    func transfers(_ way: L7World.Way, v6: Bool) throws {
        let world = try world(.both)
        let size = 8_000_000
        func ask(_ path: String, _ more: [String: Any] = [:]) throws -> L7World.Answer {
            try world.ask(way, v6: v6, path, more)
        }
        #expect(try ask("/api/upload", ["body": size]).body == "got \(size)")
        #expect(try ask("/api/download/\(size)").length == size)
        #expect(try ask("/api/until-end", ["body": 100_000, "until_end": true]).body == "got 100000")
        let reset = try ask("/api/reset")
        #expect(reset.error == "ConnectionResetError" || reset.error == "IncompleteReadError", "\(reset)")
        #expect((reset.after ?? 9) < 2)
        // The client resets, and its port is good for another connection at once.
        for _ in 0..<3 {
            let again = try ask("/api/x", ["reset": true, "from_port": 9500])
            #expect(again.body?.hasSuffix("proxied=1") == true, "\(again)")
        }
        // Through a Service, where there is one.
        guard way.client == "a" else { return }
        let service: [String: Any] = ["to": "\(L7World.service(of: way.server, v6: v6))", "port": 8000]
        #expect(try ask("/api/upload", service.merging(["body": size]) { $1 }).body == "got \(size)")
        #expect(try ask("/api/download/\(size)", service).length == size)
    }

    @Test("the way to the outside has an MTU of 1280", arguments: [false, true])
    func pathMTU(v6: Bool) throws {
        let world = try world(.both)
        try world.edge.ip(world.edge.node, "-4 route replace 10.8.0.0/24 dev uplink mtu 1280")
        try world.edge.ip(world.edge.node, "-6 route replace fd08::/64 dev uplink mtu 1280")
        let size = 2_000_000
        #expect(try world.ask(.podToOutside, v6: v6, "/api/upload", ["body": size]).body == "got \(size)")
        #expect(try world.ask(.outsideToPod, v6: v6, "/api/download/\(size)").length == size)
    }

    @Test("many connections, and over few ports; through the stand-in and netpold proxy", arguments: [false, true])
    func many(isReal: Bool) throws {
        let world = try L7World(.bridge, reversePathFilter: 1)
        try world.apply(.both)
        if isReal { try world.startProxy() } else { try world.startRelay() }
        for v6 in [false, true] {
            let path = "/api/x"
            let expected = world.expected(.both, .podToPod, v6: v6, path)
            // In parts, with a walk over the flows after each, as the agent makes one every ten seconds: parts of the table grow by it.
            var left = Self.connections
            while left > 0 {
                let count = min(left, 1000)
                let all = try world.count(
                    "a",
                    [
                        "to": "\(world.address("b", v6: v6))", "path": path, "count": count, "width": 200,
                        "seconds": 30,
                    ])
                let reasons = try world.edge.packetsByReason()
                #expect(all == [expected: count], "\(left) left, packets by reason: \(reasons)")
                _ = try world.edge.datapath?.collectConntrack()
                left -= count
            }
        }
        let few = try world.count(
            "a",
            [
                "to": "\(world.address("b", v6: false))", "path": "/api/x", "count": 400, "width": 1, "ports": 20,
                "reset": true,
            ])
        #expect(few == [world.expected(.both, .podToPod, v6: false, "/api/x"): 400])
    }

    @Test("connections of which no request is allowed leave nothing behind", arguments: [false, true])
    func denied(v6: Bool) throws {
        let world = try L7World(.bridge, reversePathFilter: 1)
        try world.apply(.ingress)
        try world.startProxy()
        let count = 50
        for end in ["outside", "a"] {
            let answers = try world.count(
                end, ["to": "\(world.address("b", v6: v6))", "path": "/who", "count": count, "width": 10])
            #expect(answers == [world.expected(.ingress, .outsideToPod, v6: v6, "/who"): count])
        }
        let datapath = try #require(world.edge.datapath)
        let proxied = try #require(datapath.maps.proxy?.proxied)
        func flows() throws -> [RememberedFlow] {
            try datapath.makeFlowReader().flows(of: Set(datapath.regions.current.keys), limit: .max).flows
        }
        func carried() throws -> Int {
            try proxied.entries(key: np_proxied_key(), value: np_proxied_side()).count
        }
        // The server's pod has had no connection, so nobody has answered in its flows: they may make room for others at any time.
        let answered = try flows().filter { $0.isAnswered && $0.role == .responder }
        #expect(answered.map(\.remote) == [])
        #expect(try carried() >= count)
        // What the proxy has ended with its clients is over, though nothing has come to the pod.
        func isOver() throws -> Bool {
            try flows().allSatisfy { $0.isReset || $0.hasFinished && $0.hasRemoteFinished }
        }
        for _ in 0..<500 where try !isOver() { usleep(20_000) }
        #expect(try flows().filter { !($0.isReset || $0.hasFinished && $0.hasRemoteFinished) } == [])
        let now = try datapath.flowClock()
        let later = KernelClock.Reading(
            jiffies: now.jiffies + UInt64((NP_TIMEOUT_CLOSED + 2) * Int32(now.rate)), rate: now.rate)
        try world.edge.node.run { _ = try datapath.collectConntrack(now: later) }
        #expect(try flows().isEmpty)
        #expect(try carried() == 0)
        #expect(try world.ask(.outsideToPod, v6: v6, "/api/x").body?.hasSuffix("proxied=0") == true)
    }

    @Test(
        "the proxy is killed: flows under way end, new ones are refused at once, others go on",
        arguments: [false, true])
    func killed(v6: Bool) throws {
        let world = try world(.egress)
        let server = "\(world.address("b", v6: v6))"
        // Of no L7 rule: from outside.
        let plain: [String: Any] = ["hold": "plain", "to": server, "path": "/who"]
        #expect(try world.ask("outside", plain).body?.hasSuffix("proxied=0") == true)
        let large: [String: Any] = ["hold": "large", "to": server, "path": "/api/download/500000000", "unread": true]
        #expect(try world.ask("a", large).error == nil)
        usleep(200_000)
        let before = try world.ask("outside", ["to": server, "path": "/count"]).body.flatMap { Int($0) }
        world.endRelay(SIGKILL)
        // What is left of it: an end, or a reset.
        let rest = try world.ask("a", ["hold": "large", "to": server, "read": true])
        #expect(rest.error != "TimeoutError" && (rest.length ?? 0) < 500_000_000, "\(rest)")
        for way in [L7World.Way.podToPod, .podToOutside] {
            let refused = try world.ask(way, v6: v6, "/api/x")
            #expect(refused.error == "ConnectionRefusedError" && (refused.after ?? 9) < 0.5, "\(refused)")
            let service: [String: Any] = ["to": "\(L7World.service(of: way.server, v6: v6))", "port": 8000]
            let again = try world.ask(way, v6: v6, "/api/x", service)
            #expect(again.error == "ConnectionRefusedError" && (again.after ?? 9) < 0.5, "\(again)")
        }
        #expect(try world.ask("outside", plain).body?.hasSuffix("proxied=0") == true)
        // Nobody has reached the server meanwhile: this connection is the first.
        let after = try world.ask("outside", ["to": server, "path": "/count"]).body.flatMap { Int($0) }
        #expect(before != nil && after == before.map { $0 + 1 })
        try world.startRelay()
        #expect(try world.ask(.podToPod, v6: v6, "/api/x").body?.hasSuffix("proxied=1") == true)
    }

    @Test(
        "the proxy is down and the server's side has the rules: who asks from outside or a pod is refused at once",
        arguments: [false, true])
    func refusedAtTheServer(v6: Bool) throws {
        let world = try L7World(.bridge, reversePathFilter: 1)
        try world.apply(.ingress)
        for way in [L7World.Way.podToPod, .outsideToPod] {
            let refused = try world.ask(way, v6: v6, "/api/x")
            #expect(refused.error == "ConnectionRefusedError" && (refused.after ?? 9) < 0.5, "\(way) \(refused)")
        }
    }

    @Test(
        "a pod's requests to its own node: the node's ingress policy is asked too, of what the proxy sends on",
        arguments: [false, true],
        [EdgeNode.Topology.ptp, .bridge])
    func toOwnNode(v6: Bool, topology: EdgeNode.Topology) throws {
        let world = try L7World(topology, reversePathFilter: 1)
        world.edge.options.host = HostSettings(mode: .enforce, devices: ["uplink"], failsafes: [], passesProbes: false)
        func host(_ peer: String, _ port: Int) -> String {
            """
            \(L7World.policy(.egress))
            ---
            apiVersion: cilium.io/v2
            kind: CiliumClusterwideNetworkPolicy
            metadata: {name: node}
            spec:
              nodeSelector: {}
              ingress:
                - fromEndpoints: [{matchLabels: {app: \(peer)}}]
                  toPorts: [{ports: [{port: "\(port)", protocol: TCP}]}]
              egress: [{toCIDR: [10.8.0.2/32, "fd08::2/128"]}]
            """
        }
        func ask(_ path: String) throws -> L7World.Answer {
            try world.ask("a", ["to": "\(world.address("node", v6: v6))", "path": path, "timeout": 2])
        }
        try world.apply(host("a", 80))
        try world.startRelay()
        #expect(try ask("/api/x").body == "\(world.address("a", v6: v6)) /api/x proxied=1")
        #expect(try ask("/who").body == "Access denied\r\n")
        // Held: the connection is there when the node's policy changes.
        func held() throws -> L7World.Answer {
            try world.ask(
                "a", ["hold": "h", "to": "\(world.address("node", v6: v6))", "path": "/api/x", "timeout": 2])
        }
        #expect(try held().body != nil)
        for (peer, port) in [("b", 80), ("a", 81)] {
            try world.apply(host(peer, port))
            let dropped = try world.edge.packetsByReason()[VerdictReason.policyDefault.rawValue, default: 0]
            #expect(try ask("/api/x").body == nil)
            #expect(try world.edge.packetsByReason()[VerdictReason.policyDefault.rawValue, default: 0] > dropped)
        }
        #expect(try held().body == nil)
        // Elsewhere the node has no say.
        #expect(try world.ask(.podToPod, v6: v6, "/api/x").body == world.expected(.egress, .podToPod, v6: v6, "/api/x"))
    }

    @Test("an agent's restart cuts nothing", arguments: [AttachmentStyle.automatic, .clsact])
    func restart(_ attachment: AttachmentStyle) throws {
        let world = try world(.both, .bridge, attachment)
        func held(_ name: String, v6: Bool) throws -> String? {
            try world.ask("a", ["hold": name, "to": "\(world.address("b", v6: v6))", "path": "/api/x"]).body
        }
        let expected = [false, true].map { world.expected(.both, .podToPod, v6: $0, "/api/x") }
        #expect(try [held("four", v6: false), held("six", v6: true)] == expected)
        for _ in 0..<2 {
            world.edge.restart()
            #expect(try [held("four", v6: false), held("six", v6: true)] == expected)
            try world.apply(.both)
            #expect(try [held("four", v6: false), held("six", v6: true)] == expected)
        }
        let failures = try world.failures(.both)
        #expect(failures == [])
    }

    @Test("what the kernel keeps of a connection in the proxy's namespace is bounded, also in one that was made before")
    func receiveBuffer() throws {
        let world = try world(.both)
        func limits() throws -> [String] {
            let namespace = try NetworkNamespace(path: world.place.namespace)
            let text = try namespace.run { try String(contentsOfFile: "/proc/sys/net/ipv4/tcp_rmem", encoding: .utf8) }
            return text.split(whereSeparator: \.isWhitespace).map(String.init)
        }
        #expect(try limits() == ["4096", "131072", "262144"])
        try world.edge.set(NetworkNamespace(path: world.place.namespace), "ipv4/tcp_rmem", "4096 131072 6291456")
        world.edge.restart()
        try world.apply(.both)
        #expect(try limits().last == "262144")
    }

    @Test("detach takes the proxy's place away, with all that was made for it")
    func detached() throws {
        let world = try world(.both)
        let interface = world.place.interface
        #expect(try world.edge.node.run { if_nametoindex(interface) } != 0)
        #expect(try world.ask(.podToPod, v6: false, "/who").body == "Access denied\r\n")
        try world.detach()
        #expect(try world.edge.node.run { if_nametoindex(interface) } == 0)
        #expect(access(world.place.namespace, F_OK) != 0)
        #expect(try world.ask(.podToPod, v6: false, "/who").body?.hasSuffix("proxied=0") == true)
    }

    @Test(
        "both ends have rules and those of the server change: the next request of a live connection is decided by them",
        arguments: [false, true])
    func serverChanges(v6: Bool) throws {
        let world = try L7World(.ptp, reversePathFilter: 1)
        let to = "\(world.address("b", v6: v6))"
        func ask(_ path: String) throws -> String? {
            let answer = try world.ask("a", ["hold": "one", "to": to, "path": path, "seconds": 2])
            return answer.body.map { $0.hasSuffix("proxied=0") ? "allowed" : $0 } ?? answer.error
        }
        func apply(client: String, server: String?) throws {
            func rules(_ path: String?) -> String {
                path.map { ", rules: {http: [{path: \"\($0)\"}]}" } ?? ""
            }
            let ends = [("a", "egress", "to", rules(client)), ("b", "ingress", "from", rules(server))]
            try world.apply(
                ends.map { pod, direction, word, rules in
                    """
                    apiVersion: cilium.io/v2
                    kind: CiliumNetworkPolicy
                    metadata: {name: \(direction), namespace: edge}
                    spec:
                      endpointSelector: {matchLabels: {app: \(pod)}}
                      \(direction): [{\(word)Entities: [all], toPorts: [{ports: [{port: "80", protocol: TCP}]\(rules)}]}]
                    """
                }.joined(separator: "\n---\n"))
        }
        let denied = "Access denied\r\n"
        try apply(client: "/.*", server: "/none")
        try world.startProxyOfAgent()
        try apply(client: "/(one|two)", server: "/one")
        #expect(try [ask("/one"), ask("/two"), ask("/one")] == ["allowed", denied, "allowed"])
        // The same bit of another program.
        try apply(client: "/(one|two)", server: "/two")
        #expect(try [ask("/one"), ask("/two")] == [denied, "allowed"])
        try apply(client: "/(one|two)", server: "/none")
        #expect(try [ask("/one"), ask("/two")] == [denied, denied])
        // Everything is allowed at the server: the client's own rules go on to count.
        try apply(client: "/(one|two)", server: nil)
        #expect(try [ask("/one"), ask("/two"), ask("/three")] == ["allowed", "allowed", denied])
        // The server has rules that it had none of: of a connection that the proxy carries they count at once.
        try apply(client: "/(one|two)", server: "/one")
        #expect(try [ask("/one"), ask("/two")] == ["allowed", denied])
        // Both change at once.
        try apply(client: "/(two|three)", server: "/(one|two)")
        #expect(try [ask("/one"), ask("/two"), ask("/three")] == [denied, "allowed", denied])
    }

    @Test(
        "a server that gains rules has them for connections of the proxy that it let in without",
        arguments: [false, true])
    func serverGainsRules(v6: Bool) throws {
        let world = try L7World(.ptp, reversePathFilter: 1)
        let to = "\(world.address("b", v6: v6))"
        func ask(_ path: String) throws -> String? {
            let answer = try world.ask("a", ["hold": "one", "to": to, "path": path, "seconds": 2])
            return answer.body.map { $0.hasSuffix("proxied=0") ? "allowed" : $0 } ?? answer.error
        }
        func apply(server rules: String) throws {
            try world.apply(
                """
                apiVersion: cilium.io/v2
                kind: CiliumNetworkPolicy
                metadata: {name: egress, namespace: edge}
                spec:
                  endpointSelector: {matchLabels: {app: a}}
                  egress:
                  - toEntities: [all]
                    toPorts: [{ports: [{port: "80", protocol: TCP}], rules: {http: [{path: "/(one|two)"}]}}]
                ---
                apiVersion: cilium.io/v2
                kind: CiliumNetworkPolicy
                metadata: {name: ingress, namespace: edge}
                spec:
                  endpointSelector: {matchLabels: {app: b}}
                  ingress: [{fromEntities: [all], toPorts: [{ports: [{port: "80", protocol: TCP}]\(rules)}]}]
                """)
        }
        try apply(server: ", rules: {http: [{path: /none}]}")
        try world.startProxyOfAgent()
        // The connection begins while the server has no rules.
        try apply(server: "")
        #expect(try [ask("/one"), ask("/two")] == ["allowed", "allowed"])
        try apply(server: ", rules: {http: [{path: /one}]}")
        #expect(try [ask("/two"), ask("/one")] == ["Access denied\r\n", "allowed"])
        #if DEBUG
            // A server that cannot be asked is said to be, and asked by the next apply: until then nothing passes.
            world.edge.fault = InjectedFault(.askServers, errno: .noBufferSpace)
            try apply(server: ", rules: {http: [{path: /two}]}")
            #expect(world.edge.serversNotAsked != nil)
            #expect(try ask("/one") == "Access denied\r\n")
            try apply(server: ", rules: {http: [{path: /two}]}")
            #expect(world.edge.serversNotAsked == nil)
            #expect(try [ask("/one"), ask("/two")] == ["Access denied\r\n", "allowed"])
        #endif
    }

    @Test("policies change under a connection")
    func changes() throws {
        let world = try world(.both)
        func held(_ name: String) throws -> L7World.Answer {
            try world.ask(
                "a", ["hold": name, "to": "\(world.address("b", v6: false))", "path": "/api/x", "seconds": 2])
        }
        let proxied = world.expected(.both, .podToPod, v6: false, "/api/x")
        let direct = proxied.replacing("proxied=1", with: "proxied=0")
        #expect(try held("first").body == proxied)
        // One side after the other, and everything allowed: what the proxy carries it goes on carrying.
        for setting in [L7World.Setting.ingress, .egress, .both, .ingress] {
            try world.apply(setting)
            #expect(try held("first").body == proxied, "\(setting)")
        }
        try world.apply("")
        #expect(try held("first").body == proxied)
        #expect(try held("plain").body == direct)
        try world.edge.node.run { _ = try world.edge.datapath?.collectConntrack() }
        #expect(try held("first").body == proxied)
        // L7 rules that come later do not let a connection go on that they have not seen from its beginning.
        try world.apply(.ingress)
        #expect(try held("plain").error != nil)
        #expect(try held("first").body == proxied)
        // Nothing is allowed: it is cut.
        try world.apply(
            """
            apiVersion: networking.k8s.io/v1
            kind: NetworkPolicy
            metadata: {name: none, namespace: edge}
            spec: {podSelector: {}, policyTypes: [Ingress, Egress]}
            """)
        #expect(try held("first").error != nil)
    }
}
