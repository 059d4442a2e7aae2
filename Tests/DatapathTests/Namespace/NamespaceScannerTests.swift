import Foundation
import LabKit
import NetTypes
import PolicyAPI
import Testing

@testable import Datapath

@Suite("Namespace scanner", .enabled(if: geteuid() == 0, "needs root"), .serialized)
struct NamespaceScannerTests {
    @Test("finds each pod's addresses and the interface that leads to it, seen from the node")
    func findsPods() throws {
        let folder = "/tmp/netpold-scan-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { #expect(throws: Never.self) { try RoutedNetwork.remove(folder: folder) } }
        let layout = NetworkLayout(
            nodeAddresses: [IPAddress(ipv4: 0xc0a8_4d01)],
            attachments: (1...3).map { number in
                .init(
                    name: "pod\(number)", nodeInterface: "np\(number)",
                    addresses: [
                        IPAddress(ipv4: 0x0af4_0000 + UInt32(number)),
                        IPAddress(high: 0xfd00 << 48, low: UInt64(number)),
                    ])
            })
        let network = try RoutedNetwork.build(layout, in: folder)
        let (scan, links) = try network.node.run {
            (try NamespaceScanner.scan("\(folder)/pods"), try NetlinkSocket().links())
        }
        #expect(scan.failures.isEmpty)
        #expect(scan.namespaces.map(\.path) == (1...3).map { "\(folder)/pods/pod\($0)" })
        for (found, attachment) in zip(scan.namespaces, layout.attachments) {
            let interface = try #require(found.interfaces.first)
            #expect(found.interfaces.count == 1)
            #expect(interface.insideName == "eth0")
            #expect(interface.addresses == attachment.addresses.sorted())
            #expect(interface.name == attachment.nodeInterface)
            #expect(links.contains { UInt32($0.index) == interface.ifindex && $0.name == attachment.nodeInterface })
        }
    }

    @Test("a veth between two other namespaces is not taken for one of ours")
    func ignoresForeignPairs() throws {
        let folder = "/tmp/netpold-scan-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { #expect(throws: Never.self) { try RoutedNetwork.remove(folder: folder) } }
        let layout = NetworkLayout(
            nodeAddresses: [],
            attachments: [.init(name: "pod", nodeInterface: "np1", addresses: [IPAddress(ipv4: 0x0af4_0001)])])
        _ = try RoutedNetwork.build(layout, in: folder)
        let scan = try NamespaceScanner.scan("\(folder)/pods")
        #expect(scan.namespaces.count == 1)
        #expect(scan.namespaces.flatMap { $0.interfaces } == [])
    }

    @Test("a folder that is not there is empty")
    func missingFolder() throws {
        #expect(try NamespaceScanner.scan("/nonexistent").namespaces.isEmpty)
    }

    @Test("the monitor speaks up when an address appears, and only then")
    func monitorSeesAddresses() throws {
        let folder = "/tmp/netpold-scan-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { #expect(throws: Never.self) { try RoutedNetwork.remove(folder: folder) } }
        let namespace = try NetworkNamespace.create(at: NetworkLayout.nodePath(in: folder))
        let monitor = try namespace.run { try LinkMonitor() }
        #expect(!monitor.drain())
        let address = IPAddress(ipv4: 0x0a01_0203)
        let local = try namespace.run {
            let socket = try NetlinkSocket()
            try socket.addAddress(address, to: try socket.link(named: "lo").index)
            return try LocalAddresses.current()
        }
        #expect(local == [address])
        #expect(monitor.drain())
        #expect(!monitor.drain())
    }
}
