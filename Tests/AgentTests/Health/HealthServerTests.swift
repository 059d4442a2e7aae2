import Foundation
import Glibc
import NetTypes
import Synchronization
import Testing

@testable import Agent

@Suite("readyz and livez", .timeLimit(.minutes(2))) struct HealthServerTests {
    private static let failed = Health(
        .init(
            generation: 1, appliedGeneration: 1,
            conditions: [Condition(kind: .applyFailed, subject: "datapath", message: "np_endpoints: EIO")]))
    private static let refused = Health(
        .init(
            generation: 1, appliedGeneration: 1,
            conditions: [Condition(kind: .isolatedByRefused, subject: "NetworkPolicy shop/db", message: "refused")]))
    private static let stuck = Health(.init(generation: 1, appliedGeneration: 1, workingFor: .seconds(1000)))

    @Test(
        "readyz asks whether the node enforces, livez whether the agent works",
        arguments: [
            ("/readyz", Health(.init(generation: 1, appliedGeneration: 1)), 200), ("/readyz", refused, 200),
            ("/readyz", failed, 503), ("/readyz", stuck, 503), ("/readyz", nil, 503), ("/livez", failed, 200),
            ("/livez", nil, 200), ("/livez", stuck, 503), ("/livez?verbose", refused, 200), ("/readyzz", nil, 404),
            ("/", nil, 404),
        ] as [(String, Health?, UInt)])
    func answers(path: String, health: Health?, status: UInt) {
        let answer = HealthServer.Answer(.GET, path, health)
        #expect(answer.status.code == status)
        #expect(answer.body.hasSuffix("\n"))
        #expect(HealthServer.Answer(.HEAD, path, health).status.code == status)
        if status != 404 { #expect(HealthServer.Answer(.POST, path, health).status.code == 405) }
    }

    @Test("the reasons are in the body")
    func reasons() {
        #expect(HealthServer.Answer(.GET, "/readyz", Self.failed).body == "datapath: np_endpoints: EIO\n")
    }

    @Test(
        "only addresses of the loopback interface are taken",
        arguments: [
            ("127.0.0.1:9180", true), ("127.9.9.9:0", true), ("[::1]:80", true), ("::1:80", false),
            ("[127.0.0.1]:80", false), ("0.0.0.0:80", false), ("[::]:80", false), ("192.0.2.1:80", false),
            ("localhost:80", false), ("127.0.0.1", false), ("127.0.0.1:", false), ("127.0.0.1:65536", false),
            (":80", false), ("", false), ("[::ffff:127.0.0.1]:80", false),
        ])
    func addresses(text: String, isTaken: Bool) { #expect((HealthAddress(parsing: text) != nil) == isTaken) }

    private func served(_ body: (Int) async throws -> Void) async throws {
        let address = try #require(HealthAddress(parsing: "127.0.0.1:0"))
        let server = try await HealthServer(address) { Self.refused }
        let port = server.port
        try await withThrowingTaskGroup { group in
            group.addTask { try await server.run() }
            try await body(port)
            group.cancelAll()
        }
    }

    /// Sends bytes and reads until the other side closes, on a thread of its own.
    private func exchange(_ port: Int, _ text: String) async -> String {
        await withCheckedContinuation { continuation in
            Thread.detachNewThread {
                continuation.resume(returning: TCPExchange(port: port)?.send(text).readAll() ?? "")
            }
        }
    }

    @Test("a probe is answered over HTTP, and the connection ends")
    func probe() async throws {
        try await served { port in
            let answer = await exchange(port, "GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n")
            #expect(answer.hasPrefix("HTTP/1.1 200 OK\r\n"))
            #expect(answer.hasSuffix("\r\n\r\nok\n"))
            #expect(await exchange(port, "HEAD /livez HTTP/1.0\r\n\r\n").hasSuffix("\r\n\r\n"))
        }
    }

    @Test(
        "nonsense, endless heads and bodies cost a connection and nothing else",
        arguments: [
            "nonsense\r\n\r\n", "GET /readyz HTTP/9.9\r\n\r\n",
            "GET /readyz HTTP/1.1\r\nx: " + String(repeating: "y", count: 200_000) + "\r\n\r\n",
            "POST /readyz HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\nabc",
            String(repeating: "GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n", count: 5000),
        ])
    func hostile(text: String) async throws {
        try await served { port in
            let answer = await exchange(port, text)
            #expect(!answer.contains("200 OK") || text.hasPrefix("GET /readyz HTTP/1.1\r\nHost"))
            #expect(await exchange(port, "GET /livez HTTP/1.1\r\nHost: x\r\n\r\n").contains("200 OK"))
        }
    }

    @Test("connections that say nothing keep no probe out")
    func silent() async throws {
        try await served { port in
            let held = (0..<200).compactMap { _ in TCPExchange(port: port) }
            #expect(held.count > HealthServer.connectionLimit)
            #expect(await exchange(port, "GET /livez HTTP/1.1\r\nHost: x\r\n\r\n").contains("200 OK"))
            withExtendedLifetime(held) {}
        }
    }

    @Test("an address in use is an error that names it")
    func inUse() async throws {
        try await served { port in
            let taken = try #require(HealthAddress(parsing: "127.0.0.1:\(port)"))
            await #expect {
                _ = try await HealthServer(taken) { nil }
            } throws: { "\($0)".contains("--health-address") }
        }
    }
}

/// A TCP connection to a port of this host; blocking.
private final class TCPExchange {
    private let descriptor: Int32

    init?(port: Int) {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var limit = timeval(tv_sec: 20, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        let status = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        if status != 0 { return nil }
    }

    deinit { close(descriptor) }

    func send(_ text: String) -> TCPExchange {
        var left = Array(text.utf8)[...]
        while !left.isEmpty {
            let count = left.withUnsafeBytes { Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            guard count > 0 else { break }
            left = left.dropFirst(count)
        }
        return self
    }

    func readAll() -> String {
        var all: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while case let count = recv(descriptor, &buffer, buffer.count, 0), count > 0 { all += buffer.prefix(count) }
        return String(decoding: all, as: UTF8.self)
    }
}
