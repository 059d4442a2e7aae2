import HTTPTestSupport
import NetpoldTestSupport
import Testing

@Suite("Changed cases of the corpus")
struct ChangedCorpusTests {
    /// What attacks are made of.
    private static let pieces: [[UInt8]] =
        [
            "\r\n", "\n", "\r", " ", "\t", "\0", ":", ";", ",", "0", "chunked", "Content-Length: 3\r\n", "\r\n\r\n",
            "Transfer-Encoding: chunked\r\n", "GET / HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.0", "HTTP/1.1",
            "5\r\nhello\r\n", "Connection: close\r\n",
            "Upgrade: websocket\r\n", "Expect: 100-continue\r\n", "\u{b}", "%2e", "/", "?", "http://a",
        ].map { Array($0.utf8) } + [[0x80], [0xff], [0x7f]]

    @Test("pieces put in, left out or copied keep the laws of the scanner, llhttp's among them", arguments: 0..<16)
    func changed(seed: Int) throws {
        var random = SplitMix64(seed: UInt64(seed))
        let cases = try SmugglingCase.all().filter { $0.bytes.count < 2_000 }
        for _ in 0..<500 {
            let chosen = try #require(cases.randomElement(using: &random))
            var input = HTTPLaws.input(chosen)
            input[1] = UInt8.random(in: 0...255, using: &random)
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                let place = Int.random(in: 2...input.count, using: &random)
                switch Int.random(in: 0..<4, using: &random) {
                case 0:
                    if let piece = ChangedCorpusTests.pieces.randomElement(using: &random) {
                        input.insert(contentsOf: piece, at: place)
                    }
                case 1: input.removeSubrange(place..<min(input.count, place + Int.random(in: 1...4, using: &random)))
                case 2:
                    if let other = cases.randomElement(using: &random) {
                        input.insert(contentsOf: other.bytes, at: place)
                    }
                default: if place < input.count { input[place] = UInt8.random(in: 0...255, using: &random) }
                }
            }
            try HTTPLaws.check(input)
        }
    }
}
