import Foundation
import Glibc
import HTTPTestSupport
import NIOCore
import PolicyAPI
import PolicyIR
import Testing

@testable import L7Proxy

/// What the proxy tells the agent of requests that were not allowed.
@Suite("denials that the agent is told of")
struct DenialFeedTests {
    /// The agent's end.
    private final class Listener {
        let path: String
        private let descriptor: CInt

        init(_ path: String) throws {
            self.path = path
            descriptor = socket(AF_UNIX, CInt(SOCK_DGRAM.rawValue), 0)
            var address = sockaddr_un()
            address.sun_family = sa_family_t(AF_UNIX)
            withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
            let status = withUnsafePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
                }
            }
            try #require(status == 0)
        }

        deinit {
            close(descriptor)
            unlink(path)
        }

        /// The lines of what has come.
        func lines() -> [String] {
            var room = [UInt8](repeating: 0, count: 1 << 18)
            var text = ""
            while true {
                let count = recv(descriptor, &room, room.count, CInt(MSG_DONTWAIT))
                guard count > 0 else { break }
                text += String(decoding: room[..<count], as: UTF8.self)
            }
            return text.split(separator: "\n").map(String.init)
        }
    }

    private let path = "\(NSTemporaryDirectory())/denials-\(UInt64.random(in: 0 ... .max)).sock"
    private let get = HTTPRule(method: "GET", path: "/public")

    @Test(
        "a denied request and one that is not understood are told of, an allowed one is not, whatever the log is like",
        arguments: [nil, AccessLog.Format.json, .text])
    func told(format: AccessLog.Format?) async throws {
        let agent = try Listener(path)
        let feed = DenialFeed(path: path)
        let null = open("/dev/null", O_WRONLY)
        defer { close(null) }
        let log = format.map { AccessLog(descriptor: null, format: $0) }
        let proxy = try await ProxyFixture.start([get], log: log, telling: feed)
        let client = try proxy.client(patience: 10_000)
        client.send("GET /public HTTP/1.1\r\nHost: a\r\n\r\n")
        _ = client.read(until: "\r\n\r\n")
        client.send("GET /admin?key=hunter2 HTTP/1.1\r\nHost: a\r\n\r\n")
        _ = client.read(until: "Access denied\r\n")
        client.send("GET /\u{7f} HTTP/1.1\r\n")
        _ = client.read()
        try await proxy.stop()
        feed.flush()
        let lines = agent.lines()
        #expect(lines.count == 2, "\(lines)")
        for part in [
            #""decision":"denied""#, #""status":403"#, #""path":"/admin?key=...""#, #""reason":"path""#,
            #""rule":"CiliumNetworkPolicy shop/api spec""#, #""denies":"ingress""#, #""client":"127.0.0.1:"#,
        ] { #expect(lines.first?.contains(part) == true, "\(part) in \(lines)") }
        #expect(lines.last?.contains(#""decision":"refused""#) == true)
        #expect(lines.last?.contains(#""reason":"target-character""#) == true)
    }

    @Test("nobody to tell costs nothing; who comes later is told; who does not read loses lines, which are counted")
    func slow() throws {
        let feed = DenialFeed(path: path)
        let line = Array("{\"n\":1}\n".utf8)
        feed.add(line, count: 1, lost: 3)
        feed.flush()
        let agent = try Listener(path)
        feed.add(line, count: 1, lost: 2)
        feed.flush()
        #expect(agent.lines() == ["{\"lost\":2}", "{\"n\":1}"])
        // The kernel holds a few hundred datagrams at most.
        for _ in 0..<2_000 {
            feed.add(line, count: 1, lost: 0)
            feed.flush()
        }
        let told = agent.lines()
        #expect(!told.isEmpty && told.count < 2_000)
        #expect(told.allSatisfy { $0 == "{\"n\":1}" })
        feed.add(line, count: 1, lost: 0)
        feed.flush()
        #expect(agent.lines() == ["{\"lost\":\(2_000 - told.count)}", "{\"n\":1}"])
        // What waits is bounded as well.
        let large = [UInt8](repeating: UInt8(ascii: "x"), count: DenialFeed.capacity) + [UInt8(ascii: "\n")]
        feed.add(large, count: 7, lost: 0)
        feed.add(line, count: 1, lost: 0)
        feed.flush()
        #expect(agent.lines() == ["{\"lost\":7}", "{\"n\":1}"])
    }

    @Test("many lines go in datagrams of whole ones")
    func datagrams() throws {
        let agent = try Listener(path)
        let feed = DenialFeed(path: path)
        let lines = (0..<5_000).map { "{\"number\":\($0)}" }
        feed.add(lines.flatMap { Array("\($0)\n".utf8) }, count: lines.count, lost: 0)
        feed.flush()
        let told = agent.lines()
        let lost = told.last.flatMap { $0.hasPrefix("{\"lost\"") ? $0 : nil }
        #expect(lost == nil)
        #expect(told == lines)
    }

    @Test("however many one client makes, others are told of; with the next second there is room again")
    func budget() throws {
        var budget = DenialBudget()
        let flooding = try SocketAddress(ipAddress: "10.0.0.1", port: 1)
        var told = 0
        for port in 1..<5_000 where budget.admits(try SocketAddress(ipAddress: "10.0.0.1", port: port), second: 7) {
            told += 1
        }
        #expect(told == Int(DenialBudget.ofGroup))
        for other in ["10.0.0.2", "fd00::1"] {
            let isTold = budget.admits(try SocketAddress(ipAddress: other, port: 1), second: 7)
            #expect(isTold, "\(other)")
        }
        let isToldAgain = budget.admits(flooding, second: 8)
        #expect(isToldAgain)
    }
}
