import Foundation
import Glibc
import Testing

@testable import BenchKit

@Suite("the process of a bench's API server")
struct ClusterServerProcessTests {
    private struct Stopped: Error {}

    /// A script in the server's place.
    private static func script(_ text: String) throws -> String {
        let path = "/tmp/netpold-server-\(UUID().uuidString)"
        try "#!/bin/sh\n\(text)\n".write(toFile: path, atomically: false, encoding: .utf8)
        #expect(chmod(path, 0o700) == 0)
        return path
    }

    private static func started(
        _ path: String, check: @escaping () throws -> Void = {}
    ) throws -> ClusterServerProcess {
        try ClusterServerProcess(kubeconfig: "/nowhere", podsPerNamespace: 1, program: path, check: check)
    }

    @Test("it is in a group of its own, where Ctrl-C does not reach it, and ends with its input")
    func group() throws {
        let path = try Self.script("echo ready; while read line; do echo 7; done")
        defer { unlink(path) }
        let server = try Self.started(path)
        #expect(getpgid(server.process) == server.process)
        #expect(try server.ask(.everywhere(port: 80)) == 7)
        #expect(!server.hasEnded)
        server.stop()
        #expect(server.hasEnded)
    }

    @Test("one that ends is noticed: by whoever looks, and by whoever asks")
    func ended() throws {
        let path = try Self.script("echo ready; read line; exit 1")
        defer { unlink(path) }
        let server = try Self.started(path)
        defer { server.stop() }
        #expect(throws: (any Error).self) { try server.ask(.everywhere(port: 80)) }
        for _ in 0..<100 where !server.hasEnded { usleep(20_000) }
        #expect(server.hasEnded)
        #expect(throws: (any Error).self) { try server.ask(.everywhere(port: 80)) }
    }

    @Test("a signal ends the waiting for one that says nothing, and the server")
    func silent() throws {
        let path = try Self.script("echo $$ > $0.pid; exec sleep 100")
        defer { for file in [path, "\(path).pid"] { unlink(file) } }
        #expect(throws: Stopped.self) {
            try Self.started(path) {
                if access("\(path).pid", F_OK) == 0 { throw Stopped() }
            }
        }
        let written = try String(contentsOfFile: "\(path).pid", encoding: .utf8)
        let process = try #require(pid_t(written.trimmingCharacters(in: .whitespacesAndNewlines)))
        #expect(kill(process, 0) != 0)
    }
}
