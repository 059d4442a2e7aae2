import BPFEmit
import Datapath
import Glibc
import NetTypes
import Testing

/// Interfaces that change their master while pods talk.
@Suite(
    "masters of pods' interfaces", .enabled(if: EdgeNode.canBuild, "needs root, containernetworking-plugins, iproute2"),
    .serialized)
struct MasterTests {
    private static let policy = """
        apiVersion: networking.k8s.io/v1
        kind: NetworkPolicy
        metadata: {name: pods, namespace: edge}
        spec: {podSelector: {}, policyTypes: [Ingress], ingress: [{from: [{podSelector: {}}]}]}
        """

    @Test("the host's evidence names masters and networks, and what it says counts from the next apply on")
    func moved() throws {
        let network = try EdgeNode(.bridge, pods: ["client", "server"])
        let bridge = try network.node.run { if_nametoindex("cni0") }
        let evidence = try network.evidence()
        #expect(evidence.masters == Dictionary(uniqueKeysWithValues: network.links.values.map { ($0, [bridge]) }))
        for text in ["10.8.0.0/24", "10.9.0.0/24", "fd08::/64", "fd09::/64"] {
            #expect(evidence.networks.contains { "\($0)" == text }, "\(text)")
        }

        try network.apply(Self.policy)
        // Routed, the bridge is the interface that the server's answer to its gateway's other pods comes in by.
        let receiver = try EdgeSocket(network.pod("server"), v6: false, port: 7002)
        let sender = try EdgeSocket(network.pod("client"), v6: false)
        func reaches() -> Bool {
            let text = Array("\(UInt64.random(in: .min ... .max))".utf8)
            sender.send(text, to: network.address("server", v6: false), port: 7002)
            return receiver.receive(milliseconds: 300) == text
        }
        #expect(reaches())
        // Another bridge takes the client over; what comes in by the old one is not the client's any more.
        try network.ip(network.node, "link add other type bridge")
        try network.ip(network.node, "link set other up")
        let link = try network.node.run { () -> String in
            var name = [CChar](repeating: 0, count: Int(IF_NAMESIZE))
            _ = if_indextoname(network.links["client"] ?? 0, &name)
            return String(decoding: name.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
        }
        try network.ip(network.node, "link set \(link) master other")
        try network.ip(network.node, "addr add 10.9.0.9/32 dev other")
        try network.ip(network.node, "route add 10.9.0.2/32 dev other")
        try network.set(network.node, "ipv4/conf/other/proxy_arp", "1")
        try network.set(network.node, "ipv4/conf/cni0/proxy_arp", "1")
        // A proxy answers after up to a second otherwise.
        for link in ["other", "cni0"] { try network.set(network.node, "ipv4/neigh/\(link)/proxy_delay", "0") }
        try network.ip(network.pod("client"), "neigh flush all")
        try network.ip(network.pod("server"), "neigh flush all")
        // Until the neighbours know each other nothing is sent at all.
        for _ in 0..<20 where try network.packetsByReason()[55, default: 0] == 0 {
            #expect(!reaches(), "the kernel was not told of the new master")
        }
        #expect(try network.packetsByReason()[55, default: 0] > 0)
        try network.apply(Self.policy)
        #expect((0..<20).contains { _ in reaches() }, "the new master is not believed")
    }
}
