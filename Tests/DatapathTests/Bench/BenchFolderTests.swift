import Datapath
import Foundation
import LabKit
import NetTypes
import Testing

@testable import BenchKit

@Suite("the folder of a bench's run", .needsRoot)
struct BenchFolderTests {
    private struct Stopped: Error {}

    private let root = "/tmp/netpold-bench-\(UUID().uuidString.lowercased())"
    private let layout = NetworkLayout(
        nodeAddresses: [IPAddress(ipv4: 0x0af4_0001)],
        attachments: [
            .init(name: "client", nodeInterface: "npclient", addresses: [IPAddress(ipv4: 0x0af4_0902)])
        ])

    private func isThere(_ path: String) -> Bool { FileManager.default.fileExists(atPath: path) }

    /// What is mounted below the root.
    private func mounts() throws -> Int {
        try String(contentsOfFile: "/proc/self/mounts", encoding: .utf8).split(separator: "\n").filter {
            $0.contains(root)
        }.count
    }

    @Test("a network and what lies beside it are gone after the run")
    func leavesNothing() throws {
        let folder = try BenchFolder("bench-test", in: root)
        _ = try folder.build(layout, check: {})
        #expect(try mounts() == 3)
        try FileManager.default.createDirectory(atPath: folder.file("manifests"), withIntermediateDirectories: true)
        try "x".write(toFile: folder.file("manifests/a.yaml"), atomically: false, encoding: .utf8)
        try "x".write(toFile: folder.file("agent.log"), atomically: false, encoding: .utf8)
        folder.remove()
        #expect(try mounts() == 0)
        #expect(!isThere(root))
    }

    @Test("a network that is not finished is gone")
    func interrupted() throws {
        let folder = try BenchFolder("bench-test", in: root)
        #expect(throws: Stopped.self) { try folder.build(layout) { throw Stopped() } }
        #expect(try mounts() == 0)
        #expect(!isThere(root))
    }

    @Test("what a killed run has left is taken away by the next of the same bench, and nothing else is")
    func leftBehind() throws {
        let ended = Process()
        ended.executableURL = URL(filePath: "/bin/true")
        try ended.run()
        ended.waitUntilExit()
        let left = "\(root)/bench-test-\(ended.processIdentifier)"
        let others = ["bench-test-1", "bench-other-\(ended.processIdentifier)", "bench-test-x"].map { "\(root)/\($0)" }
        for folder in ["\(left)/net"] + others {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        }
        _ = try RoutedNetwork.build(layout, in: "\(left)/net")
        try "x".write(toFile: "\(left)/agent.log", atomically: false, encoding: .utf8)

        let folder = try BenchFolder("bench-test", in: root)
        defer { #expect(throws: Never.self) { try FileManager.default.removeItem(atPath: root) } }
        #expect(!isThere(left))
        #expect(try mounts() == 0)
        #expect(others.allSatisfy(isThere))
        #expect(throws: (any Error).self, "this process has one") { try BenchFolder("bench-test", in: root) }
        #expect(isThere(folder.network))
        folder.remove()
        #expect(!isThere(folder.network))
    }
}
