import L7Proxy
import NIOCore
import NIOPosix
import PolicyAPI
import Testing

/// Other ways to write the fields that rules ask for and write, by which a server would see others.
@Suite("fields of rules are what servers see", .serialized)
struct HeaderNameTests {
    private func rule(_ mismatch: String, name: String = "X-Team") -> HTTPRule {
        HTTPRule(headerMatches: [HeaderMatch(name: name, value: "shop", mismatch: mismatch, secret: nil)])
    }

    /// What a client of HTTP/1 gets for these lines and body, and what the server got.
    private func ask(_ rule: HTTPRule, _ lines: String, _ body: String = "") async throws -> (String, String, [String?])
    {
        let log = try LoggedLines()
        let proxy = try await ProxyFixture.start([rule], log: log.log)
        var text = ""
        do {
            let client = try proxy.client(patience: 5_000)
            client.send("POST / HTTP/1.1\r\nHost: a\r\n\(lines)\r\n\(body)")
            client.finish()
            text = client.read().text
        }
        try await proxy.settle()
        let sent = proxy.server.take().map { String(decoding: $0, as: UTF8.self) }.joined()
        try await proxy.stop()
        return (text, sent, log.take().map(\.reason))
    }

    @Test(
        "an option of Connection that names a field of a rule is denied, whether the rule asks for it or writes it",
        arguments: ["X-Team", "close, x-team", "keep-alive , X_TEAM"])
    func connection(options: String) async throws {
        for rule in [rule("REPLACE"), rule("ADD"), HTTPRule(headers: ["X-Team shop"])] {
            let (text, sent, reasons) = try await ask(
                rule, "X-Team: shop\r\nConnection: \(options)\r\nContent-Length: 0\r\n")
            #expect(text.hasPrefix("HTTP/1.1 403") && sent.isEmpty && reasons == ["connection-option"])
        }
    }

    @Test(
        "other options of Connection are none of the rules' business", arguments: ["close", "X-Other", "TE, X-Team-2"])
    func otherConnection(options: String) async throws {
        let lines = "X-Team: shop\r\nConnection: \(options)\r\nContent-Length: 0\r\n"
        let (text, sent, _) = try await ask(rule("REPLACE"), lines)
        #expect(text.hasPrefix("HTTP/1.1 200") && sent.contains(lines))
    }

    @Test("a name with _ for - is taken out where the other is", arguments: ["REPLACE", "DELETE"])
    func underscore(mismatch: String) async throws {
        for lines in ["X_Team: evil\r\n", "X-Team: shop\r\nx_team: evil\r\n", "X-Team: evil\r\nX_TEAM: shop\r\n"] {
            let (text, sent, _) = try await ask(rule(mismatch), "\(lines)Content-Length: 0\r\n")
            #expect(text.hasPrefix("HTTP/1.1 200") && !sent.contains("evil") && !sent.lowercased().contains("x_team"))
            #expect(sent.contains("X-Team: shop\r\n") == (mismatch == "REPLACE"))
        }
    }

    @Test("a rule that asks for a field is not met by a request that has it twice, once with _ for -")
    func disguised() async throws {
        let rule = HTTPRule(headers: ["X-Team shop"])
        let (text, sent, _) = try await ask(rule, "X-Team: shop\r\nX_Team: evil\r\nContent-Length: 0\r\n")
        #expect(text.hasPrefix("HTTP/1.1 403") && sent.isEmpty)
        let (other, _, _) = try await ask(rule, "X-Team: shop\r\nX_Other: 1\r\nContent-Length: 0\r\n")
        #expect(other.hasPrefix("HTTP/1.1 200"))
    }

    @Test("trailers with a rule's names are refused", arguments: ["X-Team", "x_team"])
    func trailers(name: String) async throws {
        let chunked = "Transfer-Encoding: chunked\r\n"
        for rule in [rule("REPLACE"), rule("ADD"), HTTPRule(headers: ["X-Team shop"])] {
            let lines = "X-Team: shop\r\n\(chunked)"
            let (_, sent, reasons) = try await ask(rule, lines, "1\r\nx\r\n0\r\n\(name): evil\r\n\r\n")
            #expect(!sent.contains("evil") && reasons == ["trailer-field"])
        }
        let (text, _, _) = try await ask(HTTPRule(), chunked, "1\r\nx\r\n0\r\n\(name): 1\r\n\r\n")
        #expect(text.hasPrefix("HTTP/1.1 200"))
    }

    @Test("trailers of HTTP/2 with a rule's names are refused")
    func trailersHTTP2() async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let server = try await HTTP2EchoServer.start(group)
        let proxy = try await ProxyFixture.start([rule("REPLACE")], to: server.address)
        let client = try await HTTP2TestClient.connect(group, to: try #require(proxy.proxy.address))
        let call = try await client.begin(HTTP2TestClient.request("POST", "/"), ends: false)
        try? await call.end(.init([("x_team", "evil")]))
        _ = try await call.response { $0.isComplete || !call.channel.isActive }
        #expect(!server.lastFields.withLock { $0.contains("x_team: evil") })
        #expect(try await proxy.proxy.counters().refused == [.trailerField: 1])
        try? await client.channel.close()
        try await proxy.stop()
        try await server.stop()
        try await group.shutdownGracefully()
    }
}
