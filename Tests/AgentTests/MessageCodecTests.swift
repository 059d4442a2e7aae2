import Testing

@testable import Agent

@Suite struct MessageCodecTests {
    let codec = MessageCodec()

    @Test(
        "every request survives the wire, and no truncation of it is a message",
        arguments: [
            APIRequest.status, .endpoints, .monitor(MonitorFilter(dropsOnly: true, pod: "shop/web", policy: "p")),
            .wait(timeoutMilliseconds: 100),
        ])
    func truncation(request: APIRequest) throws {
        let line = try codec.encode(request)
        for length in 0..<line.count {
            var framer = LineFramer(limit: MessageCodec.requestLimit)
            #expect(try framer.feed(line.prefix(length)).isEmpty)
            #expect(throws: MessageError.self) {
                try codec.decode(APIRequest.self, from: Array(line.prefix(min(length, line.count - 2))))
            }
            let lines = try framer.feed(line.dropFirst(length))
            #expect(lines.count == 1)
            #expect(try codec.decode(APIRequest.self, from: lines[0]) == request)
            #expect(!framer.isInsideLine)
        }
    }

    @Test("a line may be as long as the limit and no longer")
    func oversize() throws {
        var framer = LineFramer(limit: 8)
        #expect(try framer.feed(Array("12345678\n".utf8)).map(\.count) == [8])
        #expect(throws: MessageError.oversize(limit: 8)) { try framer.feed(Array("123456789".utf8)) }
    }

    @Test("a line of another version names both versions")
    func version() {
        #expect(throws: MessageError.version(7)) {
            try codec.decode(APIRequest.self, from: Array(#"{"v":7,"body":{"later":{}}}"#.utf8))
        }
    }

    @Test(
        "what is no message is refused",
        arguments: ["", "{}", "[]", "null", "{\"v\":1}", "{\"v\":1,\"body\":{\"reboot\":{}}}", "\u{0}"])
    func malformed(line: String) {
        #expect(throws: MessageError.self) { try codec.decode(APIRequest.self, from: Array(line.utf8)) }
    }
}
