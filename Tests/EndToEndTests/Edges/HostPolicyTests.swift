import BPFEmit
import Datapath
import Foundation
import Glibc
import LabKit
import NetTypes
import Testing

/// The node's own policies at its uplink and towards its own pods, with real packets: docs/guides/host-policies.md.
@Suite(
    "host policies", .enabled(if: EdgeNode.canBuild, "needs root, containernetworking-plugins, nftables, iproute2"),
    .serialized)
struct HostPolicyTests {
    /// A question to a port: who asks whom, and whether it is answered while policies are enforced.
    struct Row: Sendable, CustomStringConvertible {
        var from: String
        var to: String
        var `protocol` = L4Protocol.tcp
        var port: UInt16 = 80
        var isAnswered: Bool

        init(_ from: String, _ to: String, _ protocol: L4Protocol, _ port: UInt16, _ isAnswered: Bool) {
            self.from = from
            self.to = to
            self.protocol = `protocol`
            self.port = port
            self.isAnswered = isAnswered
        }

        var description: String { "\(from) > \(to) \(`protocol`) \(port)" }
    }

    static let pods = ["client", "other", "server"]

    /// Both directions isolated; every row of the matrix has its rule, or none.
    static let policy = """
        apiVersion: cilium.io/v2
        kind: CiliumClusterwideNetworkPolicy
        metadata: {name: node}
        spec:
          nodeSelector: {}
          ingress:
            - fromCIDR: [10.8.0.2/32, "fd08::2/128"]
              toPorts: [{ports: [{port: "8080", protocol: ANY}]}]
            - fromEndpoints: [{matchLabels: {app: client}}]
              toPorts: [{ports: [{port: "7000", protocol: ANY}]}]
          egress:
            - toCIDR: [10.8.0.2/32, "fd08::2/128"]
              toPorts: [{ports: [{port: "9090", protocol: ANY}]}]
            - toEndpoints: [{matchLabels: {app: server}}]
              toPorts: [{ports: [{port: "5000", protocol: UDP}]}]
        """

    static let rows: [Row] =
        [L4Protocol.tcp, .udp].flatMap { proto in
            [
                Row("outside", "node", proto, 8080, true), Row("outside", "node", proto, 8081, false),
                Row("node", "outside", proto, 9090, true), Row("node", "outside", proto, 9091, false),
                Row("client", "node", proto, 7000, true), Row("client", "node", proto, 7001, false),
                Row("other", "node", proto, 7000, false),
                // What only passes through the node is none of its business, under whose address it does.
                Row("client", "outside", proto, 9091, true), Row("outside", "server", proto, 5001, true),
                Row("client", "server", proto, 5001, true),
            ]
        } + [
            Row("node", "server", .udp, 5000, true), Row("node", "server", .udp, 5001, false),
            Row("node", "client", .udp, 5000, false),
            // A probe, and SSH.
            Row("node", "server", .tcp, 5001, true), Row("outside", "node", .tcp, 22, true),
            Row("outside", "node", .udp, 22, false),
            Row("outside", "node", .icmp, 0, false), Row("node", "outside", .icmp, 0, false),
            Row("client", "outside", .icmp, 0, true), Row("outside", "server", .icmp, 0, true),
        ]

    private func address(_ place: String, _ network: EdgeNode, v6: Bool) -> IPAddress {
        switch place {
        case "outside": EdgeNode.address(2, v6: v6, network: 8)
        case "node": EdgeNode.address(1, v6: v6, network: 8)
        default: network.address(place, v6: v6)
        }
    }

    private func namespace(_ place: String, _ network: EdgeNode) throws -> NetworkNamespace {
        switch place {
        case "outside": network.outside
        case "node": network.node
        default: try network.pod(place)
        }
    }

    /// Whether each row is answered, over both families.
    private func ask(_ rows: [Row], _ network: EdgeNode) throws -> [String: Bool] {
        let loop = try EventLoop()
        var ports: [String: Set<Responder.Port>] = [:]
        var probes: [(String, Probe)] = []
        for v6 in [false, true] {
            for row in rows {
                let isPing = row.protocol.isICMP
                let proto: L4Protocol = isPing ? (v6 ? .icmpv6 : .icmp) : row.protocol
                let destination = address(row.to, network, v6: v6)
                if !isPing {
                    ports[row.to, default: []].insert(.init(address: destination, protocol: proto, port: row.port))
                }
                // The node talks to its pods from its address there.
                let source =
                    row.from == "node" && row.to != "outside"
                    ? EdgeNode.address(1, v6: v6) : address(row.from, network, v6: v6)
                probes.append(
                    (
                        "\(row)\(v6 ? " v6" : "")",
                        Probe(
                            namespace: try namespace(row.from, network), source: source, destination: destination,
                            protocol: proto, port: row.port, retries: 1)
                    ))
            }
        }
        let responders = try ports.map { place, ports in
            try Responder(name: place, in: try namespace(place, network), ports: Array(ports), loop: loop)
        }
        defer { withExtendedLifetime(responders) {} }
        let outcomes = try Prober(loop: loop).run(probes.map(\.1))
        var answers: [String: Bool] = [:]
        for (probe, outcome) in zip(probes, outcomes) {
            if case .answered = outcome { answers[probe.0] = true } else { answers[probe.0] = false }
        }
        return answers
    }

    private func expected(_ rows: [Row], all: Bool = false) -> [String: Bool] {
        Dictionary(
            uniqueKeysWithValues: rows.flatMap { row in
                [("\(row)", all || row.isAnswered), ("\(row) v6", all || row.isAnswered)]
            })
    }

    private func differences(_ got: [String: Bool], _ wanted: [String: Bool]) -> [String] {
        wanted.filter { got[$0.key] != $0.value }.map { "\($0.key): expected \($0.value ? "an answer" : "silence")" }
            .sorted()
    }

    /// Packets of pods leave under the node's address; everybody may ping.
    private func masquerade(_ network: EdgeNode) throws {
        for namespace in [network.node, network.outside] + network.pods.values {
            try network.set(namespace, "ipv4/ping_group_range", "0 2147483647")
        }
        try network.run(
            network.node, ["nft", "-f", "-"],
            input: """
                add table inet edges
                add chain inet edges post { type nat hook postrouting priority 100; }
                add rule inet edges post ip saddr 10.9.0.0/24 oifname "uplink" masquerade
                add rule inet edges post ip6 saddr fd09::/64 oifname "uplink" masquerade
                """)
    }

    private func settings(_ mode: HostMode, confirm: UInt32 = 0) -> HostSettings {
        HostSettings(mode: mode, devices: ["uplink"], confirmSeconds: confirm)
    }

    @Test(
        "enforced, exactly what rules and the fail-safe list allow comes to the node and leaves it; pods are not touched",
        arguments: zip([EdgeNode.Topology.ptp, .bridge], [AttachmentStyle.tcx, .clsact]))
    func enforced(topology: EdgeNode.Topology, style: AttachmentStyle) throws {
        let network = try EdgeNode(topology, pods: Self.pods)
        try masquerade(network)
        network.options.attachment = style
        network.options.host = settings(.enforce)
        try network.apply(Self.policy)
        #expect(differences(try ask(Self.rows, network), expected(Self.rows)).isEmpty)
        let reasons = try network.packetsByReason()
        #expect(reasons[VerdictReason.failsafe.rawValue, default: 0] > 0)
        #expect(reasons[VerdictReason.transit.rawValue, default: 0] > 0)
        #expect(reasons[VerdictReason.policyDefault.rawValue, default: 0] > 0)
        // A policy that goes leaves the node open, at once.
        try network.apply("")
        #expect(differences(try ask(Self.rows, network), expected(Self.rows, all: true)).isEmpty)
    }

    @Test("audited, everything passes, and what would not is counted")
    func audited() throws {
        let network = try EdgeNode(.ptp, pods: Self.pods)
        try masquerade(network)
        network.options.host = settings(.audit)
        try network.apply(Self.policy)
        #expect(differences(try ask(Self.rows, network), expected(Self.rows, all: true)).isEmpty)
        let reasons = try network.packetsByReason()
        #expect(reasons[VerdictReason.hostAudit.rawValue, default: 0] > 0)
        #expect(reasons[VerdictReason.policyDefault.rawValue, default: 0] == 0)
    }

    @Test("an uplink that cannot be found takes no protection from others, and a pod's interface is none")
    func missing() throws {
        let pins = try PinPath(instance: "host-\(getpid())-\(UInt16.random(in: .min ... .max))")
        defer { _ = try? pins.removeAll() }
        let network = try EdgeNode(.ptp, pods: Self.pods)
        let rows = Self.rows.filter { !$0.protocol.isICMP }
        try masquerade(network)
        network.options = DatapathOptions(pins: pins)
        network.options.host = settings(.enforce)
        try network.apply(Self.policy)
        network.restart()
        let link = try #require(network.links["client"])
        let name = try network.node.run { try NetlinkSocket().links().first { $0.index == Int32(link) }?.name }
        network.options.host.devices = ["nowhere", "lo", try #require(name)]
        try network.apply(Self.policy)
        #expect(differences(try ask(rows, network), expected(rows)).isEmpty)
        // Once it is known which are the uplinks, others are none any more.
        network.restart()
        try network.ip(network.node, "link add spare type veth peer name eraps")
        network.options.host.devices = ["spare"]
        try network.apply(Self.policy)
        let open = [Row("outside", "node", .tcp, 8081, true), Row("client", "node", .tcp, 7001, false)]
        #expect(differences(try ask(open, network), expected(open)).isEmpty)
    }

    @Test("what nobody confirms is given up by the programs themselves; what is confirmed outlives the agent")
    func confirmation() throws {
        let pins = try PinPath(instance: "host-\(getpid())-\(UInt16.random(in: .min ... .max))")
        defer { _ = try? pins.removeAll() }
        let network = try EdgeNode(.ptp, pods: Self.pods)
        let row = [Row("outside", "node", .tcp, 8081, false)]
        network.options = DatapathOptions(pins: pins)
        network.options.host = settings(.audit)
        try network.apply(Self.policy)
        network.restart()
        network.options.host = settings(.enforce, confirm: 3)
        try network.apply(Self.policy)
        let control = try #require(try HostControl(pins))
        guard case .pending(.enforce, former: .audit, _) = try control.state().confirmation else {
            Issue.record("\(try control.state().confirmation)")
            return
        }
        #expect(differences(try ask(row, network), expected(row)).isEmpty)
        // Nobody looks: no agent lives.
        network.restart()
        let deadline = ContinuousClock.now + .seconds(20)
        while try control.state().confirmation.inForce == .enforce, ContinuousClock.now < deadline { usleep(100_000) }
        #expect(try control.state().confirmation == .expired(.enforce, former: .audit))
        #expect(differences(try ask(row, network), expected(row, all: true)).isEmpty)
        #expect(try !control.confirm())
        // The next agent, which wants the same, does not try again by itself.
        try network.apply(Self.policy)
        #expect(try control.state().confirmation == .expired(.enforce, former: .audit))
        // Somebody does, and confirms.
        #expect(try control.retry(seconds: 600))
        #expect(differences(try ask(row, network), expected(row)).isEmpty)
        #expect(try control.confirm())
        network.restart()
        #expect(differences(try ask(row, network), expected(row)).isEmpty)
        try network.apply(Self.policy)
        #expect(try control.state().confirmation == .settled(.enforce))
        // Another policy is another change, and goes back to this one.
        try network.apply(Self.policy.replacingOccurrences(of: "8080", with: "8082"))
        guard case .pending(.enforce, former: .enforce, _) = try control.state().confirmation else {
            Issue.record("\(try control.state().confirmation)")
            return
        }
        // An agent without host policies that has applied nothing yet leaves those that are pinned in force.
        network.restart()
        network.options.host = settings(.off)
        _ = try DatapathMaps(network.options)
        #expect(differences(try ask(row, network), expected(row)).isEmpty)
        // Off is off, for whoever starts next too.
        try network.apply(Self.policy)
        #expect(try control.state().confirmation == .settled(.off))
        #expect(differences(try ask(row, network), expected(row, all: true)).isEmpty)
    }

    @Test(
        "a change of policies that nobody confirms goes back to those before, by the programs themselves, also for the agents that start",
        arguments: [AttachmentStyle.tcx, .clsact])
    func former(style: AttachmentStyle) throws {
        let pins = try PinPath(instance: "host-\(getpid())-\(UInt16.random(in: .min ... .max))")
        defer { _ = try? pins.removeAll() }
        let network = try EdgeNode(.ptp, pods: Self.pods)
        try masquerade(network)
        network.options = DatapathOptions(pins: pins, attachment: style)
        network.options.host = settings(.enforce, confirm: 600)
        try network.apply(Self.policy)
        let control = try #require(try HostControl(pins))
        #expect(try control.confirm())
        network.restart()
        network.options.host = settings(.enforce, confirm: 5)
        try network.apply(Self.policy)
        #expect(try control.state().confirmation == .settled(.enforce))

        // One port is shut, another one opened.
        let change = Self.policy.replacingOccurrences(of: "8080", with: "8082")
            .replacingOccurrences(of: "7000", with: "7002")
        let changed = [
            Row("outside", "node", .tcp, 8080, false), Row("outside", "node", .tcp, 8082, true),
            Row("client", "node", .udp, 7002, true), Row("node", "outside", .udp, 9090, true),
        ]
        let before = [
            Row("outside", "node", .tcp, 8080, true), Row("outside", "node", .tcp, 8082, false),
            Row("client", "node", .udp, 7002, false), Row("node", "outside", .udp, 9090, true),
        ]
        try network.apply(change)
        guard case .pending(.enforce, former: .enforce, _) = try control.state().confirmation else {
            Issue.record("\(try control.state().confirmation)")
            return
        }
        #expect(differences(try ask(changed, network), expected(changed)).isEmpty)
        // Nobody looks: no agent lives.
        network.restart()
        let expired = HostConfirmation.expired(.enforce, former: .enforce)
        let deadline = ContinuousClock.now + .seconds(30)
        while try control.state().confirmation != expired, ContinuousClock.now < deadline { usleep(100_000) }
        #expect(try control.state().confirmation == expired)
        #expect(differences(try ask(Self.rows, network), expected(Self.rows)).isEmpty)
        #expect(differences(try ask(before, network), expected(before)).isEmpty)
        // The next agent, which wants the change, compiles both and leaves it as it is.
        try network.apply(change)
        try network.apply(change)
        #expect(try control.state().confirmation == expired)
        #expect(differences(try ask(Self.rows, network), expected(Self.rows)).isEmpty)
        #expect(differences(try ask(before, network), expected(before)).isEmpty)
        // Somebody tries again and confirms: from then on this is what is gone back to.
        #expect(try control.retry(seconds: 600))
        #expect(differences(try ask(changed, network), expected(changed)).isEmpty)
        #expect(try control.confirm())
        try network.apply(change)
        try network.apply(Self.policy)
        guard case .pending(.enforce, former: .enforce, _) = try control.state().confirmation else {
            Issue.record("\(try control.state().confirmation)")
            return
        }
        #expect(differences(try ask(before, network), expected(before)).isEmpty)
        // Whoever takes the change back need not confirm that.
        try network.apply(change)
        #expect(try control.state().confirmation == .settled(.enforce))
        #expect(differences(try ask(changed, network), expected(changed)).isEmpty)
        // What was written down is lost while a change waits: nobody knows what to go back to but audit. With more time than the next
        // agent needs to start on a busy machine.
        network.restart()
        network.options.host = settings(.enforce, confirm: 600)
        try network.apply(change)
        try network.apply(Self.policy)
        network.hostRecords = nil
        network.restart()
        try network.apply(Self.policy)
        guard case .pending(.enforce, former: .audit, _) = try control.state().confirmation else {
            Issue.record("\(try control.state().confirmation)")
            return
        }
        #expect(differences(try ask(before, network), expected(before)).isEmpty)
    }
}
