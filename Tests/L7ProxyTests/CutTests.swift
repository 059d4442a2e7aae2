import Glibc
import L7Proxy
import NIOCore
import PolicyAPI
import Testing

/// An end that is a reset must not look like one that is none, at the other side.
@Suite("what was cut does not look complete", .serialized)
struct CutTests {
    private let get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
    private let offer = "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
    private static let untilEnd = Array("HTTP/1.1 200 OK\r\n\r\npartial".utf8)
    private static let tunnel = Array(
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\npartial".utf8)

    @Test(
        "a response that goes on to the end of its connection, and another protocol, end as their server ended them",
        arguments: [true, false], [HostileServer.End.closes, .resets])
    func server(isTunnel: Bool, end: HostileServer.End) async throws {
        let answer = isTunnel ? CutTests.tunnel : CutTests.untilEnd
        let server = try HostileServer(answer, then: end)
        let lines = try LoggedLines()
        let proxy = try await ProxyFixture.start([HTTPRule()], log: lines.log, to: server.address)
        do {
            let client = try proxy.client(patience: 10_000)
            client.send(isTunnel ? offer : get)
            #expect(client.read(bytes: answer.count) == answer)
            let isReset = client.isReset()
            #expect(isReset == (end == .resets))
        }
        try await proxy.settle()
        try await proxy.stop()
        server.stop()
        // That of another protocol has its line when it begins.
        let decision = end == .resets && !isTunnel ? "error" : "allowed"
        #expect(lines.take() == [LoggedLines.Line(decision, isTunnel ? 101 : 200, path: "/")])
    }

    @Test("another protocol whose client ends its side first ends as one that is complete")
    func halfClosedTunnel() async throws {
        let proxy = try await ProxyFixture.start([HTTPRule()])
        let client = try proxy.client(patience: 10_000)
        client.send(offer + "x")
        #expect(client.read(until: "x").text.hasPrefix("HTTP/1.1 101"))
        client.finish()
        let isReset = client.isReset()
        #expect(!isReset)
        try await proxy.settle()
        try await proxy.stop()
    }

    @Test("another protocol whose client resets it is reset at its server", arguments: [true, false])
    func client(resets: Bool) async throws {
        let listener = try ListeningSocket(backlog: 1)
        let proxy = try await ProxyFixture.start([HTTPRule()], to: listener.address)
        let client = try proxy.client(patience: 10_000)
        client.send(offer)
        let connection = accept(listener.descriptor, nil, nil)
        var wait = timeval(tv_sec: 10, tv_usec: 0)
        setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &wait, socklen_t(MemoryLayout<timeval>.size))
        var piece = [UInt8](repeating: 0, count: 4_096)
        #expect(recv(connection, &piece, piece.count, 0) == offer.utf8.count)
        CutTests.tunnel.withUnsafeBytes { _ = send(connection, $0.baseAddress, $0.count, CInt(MSG_NOSIGNAL)) }
        #expect(client.read(bytes: CutTests.tunnel.count) == CutTests.tunnel)
        if resets { client.endsWithReset() }
        client.end()
        let count = recv(connection, &piece, piece.count, 0)
        #expect(resets ? count < 0 && errno == ECONNRESET : count == 0)
        close(connection)
        close(listener.descriptor)
        try await proxy.stop()
    }
}
