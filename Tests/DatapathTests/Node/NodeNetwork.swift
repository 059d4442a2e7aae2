import BPFEmit
import Foundation
import LabKit
import NetTypes
import Testing

@testable import Datapath

/// A node with two pods, client and web, in namespaces of their own.
enum NodeNetwork {
    static let clientKey = EndpointKey(namespace: "shop", name: "client")

    /// Makes the network and a bpffs, and runs a test in the node's namespace with the interfaces of the pods.
    static func with(_ body: @escaping (RoutedNetwork, PinPath, [EndpointKey: UInt32]) throws -> Void) throws {
        let folder = "/tmp/netpold-node-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { #expect(throws: Never.self) { try RoutedNetwork.remove(folder: folder) } }
        let layout = NetworkLayout(
            nodeAddresses: [IPAddress(ipv4: 0xc0a8_4d01)],
            attachments: [
                .init(name: "client", nodeInterface: "np0", addresses: [NodeImages.client]),
                .init(name: "web", nodeInterface: "np1", addresses: [NodeImages.web]),
            ])
        let network = try RoutedNetwork.build(layout, in: folder)
        try PrivateBPFFilesystem.with { files in
            try network.node.run {
                let socket = try NetlinkSocket()
                let interfaces = [
                    clientKey: UInt32(bitPattern: try socket.link(named: "np0").index),
                    NodeImages.webKey: UInt32(bitPattern: try socket.link(named: "np1").index),
                ]
                try body(network, files.pins, interfaces)
            }
        }
    }
}
