import Testing

@testable import Agent

@Suite struct MessageCodecTests {
    let codec = MessageCodec()

    @Test("every request survives the wire, and no truncation of it is a message", arguments: APIMessages.requests)
    func requests(sample: APIMessages.Sample<APIRequest>) throws { try truncate(sample.message) }

    @Test("every reply survives the wire, and no truncation of it is a message", arguments: APIMessages.replies)
    func replies(sample: APIMessages.Sample<APIReply>) throws { try truncate(sample.message) }

    private func truncate<Message: APIMessage & Equatable>(_ message: Message) throws {
        let line = try codec.encode(message)
        for length in 0..<line.count {
            var framer = LineFramer(limit: MessageCodec.replyLimit)
            framer.feed(line.prefix(length))
            #expect(try framer.next() == nil)
            #expect(throws: MessageError.self) {
                try codec.decode(Message.self, from: Array(line.prefix(min(length, line.count - 2))))
            }
            framer.feed(line.dropFirst(length))
            let whole = try #require(try framer.next())
            #expect(try codec.decode(Message.self, from: whole) == message)
            #expect(try framer.next() == nil)
            framer.feed(line)
            #expect(try framer.next() == whole, "nothing was left")
        }
    }

    @Test("a line may be as long as the limit and no longer")
    func oversize() throws {
        var framer = LineFramer(limit: 8)
        framer.feed(Array("12345678\n1\n".utf8))
        #expect(try framer.next()?.count == 8)
        #expect(try framer.next()?.count == 1)
        #expect(try framer.next() == nil)
        framer.feed(Array("123456789".utf8))
        #expect(throws: MessageError.oversize(limit: 8)) { try framer.next() }
    }

    @Test(
        "a line of another version names both versions, however it writes its own",
        arguments: [#"{"type":"later","version":7}"#, #"{"v":7,"body":{"later":{}}}"#])
    func version(line: String) {
        #expect(throws: MessageError.version(7)) { try codec.decode(APIRequest.self, from: Array(line.utf8)) }
    }

    @Test("a type that is not known is told apart from nonsense")
    func unknownType() {
        let line = #"{"type":"reboot","version":2,"when":"now"}"#
        #expect(throws: MessageError.unknownType("reboot")) {
            try codec.decode(APIRequest.self, from: Array(line.utf8))
        }
    }

    @Test(
        "what is not a message is refused, with what is wrong with it",
        arguments: [
            ("", "is not a JSON object"), ("null", "is not a JSON object"), ("[]", "is not a JSON object"),
            ("\u{0}", "is not a JSON object"), ("{}", "has no version"), (#"{"version":2}"#, "lacks type"),
            (#"{"version":"2","type":"status"}"#, "has no valid version"),
            (#"{"version":2,"type":"wait"}"#, "lacks timeoutMilliseconds"),
            (#"{"version":2,"type":"wait","timeoutMilliseconds":"1"}"#, "has no valid timeoutMilliseconds"),
            (#"{"version":2,"type":"monitor","dropsOnly":1}"#, "has no valid dropsOnly"),
        ])
    func malformed(line: String, words: String) {
        #expect(throws: MessageError.malformed(words)) {
            try codec.decode(APIRequest.self, from: Array(line.utf8))
        }
    }

    @Test("fields that are not known are left alone, and a monitor's may all be missing")
    func tolerance() throws {
        let line = #"{"later":[1],"type":"monitor","version":2}"#
        #expect(try codec.decode(APIRequest.self, from: Array(line.utf8)) == .monitor(MonitorFilter()))
    }
}
