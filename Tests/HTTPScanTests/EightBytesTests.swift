import HTTPScan
import Testing

@Suite("Eight bytes at once")
struct EightBytesTests {
    @Test("each byte at each place among each kind of others is seen, and nothing else is")
    func everywhere() {
        for others: UInt8 in [0x20, 0x41, 0x7e, 0x80, 0xa0, 0xff] {
            for byte in UInt8.min...UInt8.max {
                for place in 0..<8 {
                    var bytes = [UInt8](repeating: others, count: 10)
                    bytes[place + 1] = byte
                    let word = bytes.withUnsafeBufferPointer { EightBytes($0, at: 1) }
                    #expect(word?.hasControl == (byte < 0x20 || byte == 0x7f))
                    let quote = UInt8(ascii: "\"")
                    #expect(word?.has(quote) == (byte == quote))
                }
            }
        }
    }

    @Test("fewer than eight are not looked at")
    func tooFew() {
        let bytes = [UInt8](repeating: 0x41, count: 10)
        bytes.withUnsafeBufferPointer { bytes in
            #expect(EightBytes(bytes, at: 2) != nil)
            #expect(EightBytes(bytes, at: 3) == nil && EightBytes(bytes, at: -1) == nil)
        }
    }

    @Test("each byte at each place of a long value is taken or refused as it is at the first")
    func values() {
        for byte in UInt8.min...UInt8.max where byte != 0x0d {
            let isText = byte >= 0x20 && byte != 0x7f || byte == 0x09
            for place in 0..<20 {
                var value = [UInt8](repeating: UInt8(ascii: "v"), count: 20)
                value[place] = byte
                let bytes = Array("GET / HTTP/1.1\r\nHost: a\r\nX: v".utf8) + value + Array("v\r\n\r\n".utf8)
                var scanner = RequestHeadScanner()
                let isTaken = (try? scanner.scan(bytes.span)) != nil
                #expect(isTaken == isText, "\(byte) at \(place)")
            }
        }
    }

    @Test(
        "each byte at each place of a long path is taken or refused as it is alone, and other forms are seen anywhere")
    func paths() {
        for byte in UInt8.min...UInt8.max where byte > 0x20 && byte != UInt8(ascii: "%") {
            var outcomes: Set<Bool> = []
            for place in 0..<20 {
                var path = [UInt8](repeating: UInt8(ascii: "p"), count: 20)
                path[place] = byte
                let bytes = Array("GET /p".utf8) + path + Array("p HTTP/1.1\r\nHost: a\r\n\r\n".utf8)
                var scanner = RequestHeadScanner()
                guard case .head(let head)? = try? scanner.scan(bytes.span) else {
                    outcomes.insert(false)
                    continue
                }
                outcomes.insert(true)
                #expect(!head.pathHasOtherForms)
            }
            #expect(outcomes.count == 1, "\(byte)")
        }
        for form in ["//", "%2f", "%41", "%5C"] {
            for place in 0..<20 {
                let path = String(repeating: "p", count: place) + form + String(repeating: "p", count: 20 - place)
                var scanner = RequestHeadScanner()
                let bytes = Array("GET /p\(path) HTTP/1.1\r\nHost: a\r\n\r\n".utf8)
                guard case .head(let head)? = try? scanner.scan(bytes.span) else {
                    Issue.record("\(path)")
                    continue
                }
                #expect(head.pathHasOtherForms, "\(path)")
            }
        }
    }
}
