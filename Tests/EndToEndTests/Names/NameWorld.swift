import Datapath
import Foundation
import LabKit
import NetTypes
import PolicyIR

/// Pods that may ask one DNS pod for names below example.com and connect to where they lead, TCP 8001 outside; and an agent. Several
/// pods, since one may hold 8,192 addresses.
final class NameWorld {
    static let policy = """
        apiVersion: cilium.io/v2
        kind: CiliumNetworkPolicy
        metadata: {name: names, namespace: lab}
        spec:
          endpointSelector: {matchLabels: {app: client}}
          egress:
          - toEndpoints: [{matchLabels: {app: dns}}]
            toPorts: [{ports: [{port: "53", protocol: UDP}], rules: {dns: [{matchPattern: "*.example.com"}]}}]
          - toFQDNs: [{matchPattern: "*.example.com"}]
            toPorts: [{ports: [{port: "8001", protocol: TCP}]}]
        """
    private static let clients = 4
    private static let pods =
        (1...clients).map { number in
            EdgeWorld.pod("client-\(number)", "10.244.8.1\(number)", "fd00:8::1\(number)")
                .replacing("app: client-\(number)", with: "app: client")
        } + [EdgeWorld.pod("dns", "10.244.8.20", "fd00:8::20")]

    /// What became of looking a name up and connecting at once.
    struct Outcome: Hashable {
        var name: String
        var outcome: ProbeOutcome
    }

    let network: PodNetwork
    let agent: RunningAgent
    private let loop: EventLoop
    private var responders: [Responder] = []
    private let addresses: [String: [IPAddress]]

    /// Builds everything and starts the agent. DNS knows `names.count` names, each with an address of its own of both families.
    init(names: [String]) throws {
        var addresses: [String: [IPAddress]] = [:]
        for (number, name) in names.enumerated() {
            addresses[name] = [
                IPAddress(ipv4: 0xc613_0000 + UInt32(number)),
                IPAddress(high: 0x2001_0db8_0077_0000, low: UInt64(number + 1)),
            ]
        }
        self.addresses = addresses
        let all = Self.pods.joined(separator: "\n---\n")
        network = try PodNetwork(all, tag: "names\(UInt16.random(in: .min ... .max))")
        agent = try RunningAgent(network, manifests: ["pods.yaml": all, "policy.yaml": Self.policy])
        loop = try EventLoop()
        let every = [IPAddress(ipv4: 0), IPAddress(high: 0, low: 0)]
        responders.append(
            try Responder(
                name: "dns", in: network.namespace("dns"),
                ports: every.map { .init(address: $0, protocol: .udp, port: 53) }, loop: loop, names: addresses))
        responders.append(
            try Responder(
                name: "outside", in: network.routed.outside,
                ports: every.map { .init(address: $0, protocol: .tcp, port: 8001) }, loop: loop))
        try agent.start()
    }

    /// Looks each name up once, over one family, and connects at once to the address that the answer has; nothing is tried again.
    ///
    /// - Returns: those that were not answered, with what came instead.
    func lost(_ names: [String], isIPv4: Bool = true) throws -> [Outcome] {
        let resolver = isIPv4 ? IPAddress(ipv4: 0x0af4_0814) : IPAddress(high: 0xfd00_0008 << 32, low: 0x20)
        let probes = try names.map { name in
            let (client, source) = try client(of: name, isIPv4: isIPv4)
            var probe = Probe(
                namespace: client, source: source, destination: resolver, protocol: .udp, port: 53, retries: 0,
                request: .request(.dns(name)))
            probe.follow = { addresses in
                addresses.first.map {
                    Probe(
                        namespace: client, source: source, destination: $0, protocol: .tcp, port: 8001, retries: 0)
                }
            }
            return probe
        }
        let prober = Prober(loop: loop)
        // More at a time would wait in the DNS pod's socket, or be lost there.
        prober.width = 64
        prober.patience = .seconds(2)
        return zip(names, try prober.run(probes)).compactMap { name, outcome in
            outcome == .answered(by: "outside") ? nil : Outcome(name: name, outcome: outcome)
        }
    }

    /// The pod that deals with a name, and its address.
    private func client(of name: String, isIPv4: Bool) throws -> (NetworkNamespace, IPAddress) {
        let number = name.utf8.reduce(0) { $0 &+ Int($1) } % Self.clients + 1
        let source =
            isIPv4
            ? IPAddress(ipv4: 0x0af4_0800 + UInt32(10 + number))
            : IPAddress(high: 0xfd00_0008 << 32, low: 0x10 + UInt64(number))
        return (try network.namespace("client-\(number)"), source)
    }

    /// Connects to a name's address without asking for it.
    func connects(_ name: String) throws -> ProbeOutcome {
        let address = addresses[name]?.first ?? IPAddress(ipv4: 0)
        let (client, source) = try client(of: name, isIPv4: true)
        let probe = Probe(
            namespace: client, source: source, destination: address, protocol: .tcp, port: 8001, retries: 0)
        return try Prober(loop: loop).run([probe]).first ?? .silent
    }
}
