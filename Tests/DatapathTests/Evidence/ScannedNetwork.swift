import BPFEmit
import Foundation
import LabKit
import NetTypes
import Testing

@testable import Datapath

/// A network of pods in a folder of its own, to be looked at by a scanner.
enum ScannedNetwork {
    private static let addresses = (1...3).map { number in
        [IPAddress(ipv4: 0x0af4_0000 + UInt32(number)), IPAddress(high: 0xfd00 << 48, low: UInt64(number))]
    }

    /// Builds it, and takes it away afterwards.
    static func with(
        pods: Int, _ body: @escaping (_ folder: String, RoutedNetwork, NetworkLayout) throws -> Void
    ) throws {
        let folder = "/tmp/netpold-scan-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: "\(folder)/proc", withIntermediateDirectories: true)
        defer {
            for other in ["proc", "results", "pods/left-over"] {
                try? FileManager.default.removeItem(atPath: "\(folder)/\(other)")
            }
            #expect(throws: Never.self) { try RoutedNetwork.remove(folder: folder) }
        }
        let layout = NetworkLayout(
            nodeAddresses: [IPAddress(ipv4: 0xc0a8_4d01)],
            attachments: (0..<pods).map { number in
                .init(name: "pod\(number + 1)", nodeInterface: "np\(number + 1)", addresses: addresses[number])
            })
        try body(folder, try RoutedNetwork.build(layout, in: folder), layout)
    }

    /// A look from the calling thread's namespace, at this folder and nothing else.
    static func look(_ folder: String, cniCaches: [String] = []) throws -> HostEvidence {
        try HostScanner(
            .init(namespaces: "\(folder)/pods", cniCaches: cniCaches, processes: "\(folder)/proc")
        ).evidence()
    }
}
