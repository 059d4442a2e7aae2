import Datapath
import Foundation
import NetTypes
import Testing

@testable import LabKit

@Suite("Routed network of namespaces", .enabled(if: geteuid() == 0, "needs root"), .serialized)
struct RoutedNetworkTests {
    private static let four = IPAddress(ipv4: 0x0af4_0001)
    private static let six = IPAddress(high: 0xfd00_0000_0000_0000, low: 1)

    private static func layout(pods: Int) -> NetworkLayout {
        NetworkLayout(
            nodeAddresses: [IPAddress(ipv4: 0xc0a8_4d01), IPAddress(high: 0xfd77 << 48, low: 1)],
            attachments: (0..<pods).map { number in
                .init(
                    name: "pod\(number)", nodeInterface: "np\(number)",
                    addresses: [
                        IPAddress(ipv4: 0x0af4_0001 + UInt32(number)),
                        IPAddress(high: six.high, low: 1 + UInt64(number)),
                    ])
            })
    }

    private static func withNetwork(
        pods: Int, _ body: (RoutedNetwork, NetworkLayout, String) throws -> Void
    ) throws {
        let folder = "/tmp/netpold-network-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { #expect(throws: Never.self) { try RoutedNetwork.remove(folder: folder) } }
        let layout = layout(pods: pods)
        try body(try RoutedNetwork.build(layout, in: folder), layout, folder)
    }

    @Test("pods, the node and the outside reach each other over both families")
    func everybodyReachesEverybody() throws {
        try Self.withNetwork(pods: 2) { network, layout, _ in
            let loop = try EventLoop()
            let world = [IPAddress(ipv4: 0x0808_0808), IPAddress(high: 0x2001_0db8 << 32, low: 8)]
            var places: [(name: String, namespace: NetworkNamespace, addresses: [IPAddress])] =
                layout.attachments.compactMap { pod in
                    network.pods[pod.name].map { (pod.name, $0, pod.addresses) }
                }
            places.append(("node", network.node, layout.nodes[0]))
            places.append(("world", network.outside, world))
            let responders = try places.map { place in
                try Responder(
                    name: place.name, in: place.namespace,
                    ports: place.addresses.flatMap { address in
                        [L4Protocol.tcp, .udp].map { .init(address: address, protocol: $0, port: 80) }
                    }, loop: loop)
            }
            var probes: [Probe] = []
            var expected: [ProbeOutcome] = []
            for from in places {
                for to in places where from.name != to.name {
                    for (source, destination) in zip(from.addresses, to.addresses) {
                        for proto in [L4Protocol.tcp, .udp, source.isIPv4 ? .icmp : .icmpv6] {
                            probes.append(
                                Probe(
                                    namespace: from.namespace, source: source, destination: destination,
                                    protocol: proto, port: 80, retries: 1))
                            expected.append(.answered(by: proto.isICMP ? "" : to.name))
                        }
                    }
                }
            }
            let outcomes = try Prober(loop: loop).run(probes)
            #expect(outcomes == expected)
            withExtendedLifetime(responders) {}
        }
    }

    @Test("a port without server is refused, an address without owner in the cluster is answered by nobody else")
    func refusalDiffersFromSilence() throws {
        try Self.withNetwork(pods: 2) { network, layout, _ in
            let from = try #require(network.pods["pod0"])
            let loop = try EventLoop()
            let probes = [L4Protocol.tcp, .udp].map { proto in
                Probe(
                    namespace: from, source: layout.attachments[0].addresses[0],
                    destination: layout.attachments[1].addresses[0], protocol: proto, port: 4711, retries: 5)
            }
            #expect(try Prober(loop: loop).run(probes) == [.refused, .refused])
        }
    }

    @Test("after removal neither mounts nor files are left, also of a half-built network")
    func removalLeavesNothing() throws {
        var used = ""
        try Self.withNetwork(pods: 1) { _, _, folder in used = folder }
        #expect(!FileManager.default.fileExists(atPath: used))
        let mounts = try String(contentsOfFile: "/proc/self/mounts", encoding: .utf8)
        #expect(!mounts.contains(used))
    }
}
