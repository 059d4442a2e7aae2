import HTTPScan
import Testing

@Suite("Places in a head")
struct HeadPlacesTests {
    private func head(_ text: String) throws -> (RequestHead, [UInt8]) {
        let bytes = Array(text.utf8)
        var scanner = RequestHeadScanner()
        guard case .head(let head) = try scanner.scan(bytes.span) else {
            throw BrokenHead()
        }
        return (head, bytes)
    }

    private struct BrokenHead: Error {}

    @Test("method, target, path, host and fields are where they stand; what follows the head is not looked at")
    func places() throws {
        let (head, bytes) = try head("PUT http://a:80/x?y HTTP/1.1\r\nA:  b c \r\nHost: A:80\r\nD:\r\n\r\n\0\0")
        func text(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }
        #expect(text(head.method) == "PUT" && head.knownMethod == .put)
        #expect(text(head.target) == "http://a:80/x?y" && text(head.path) == "/x?y" && text(head.host) == "A:80")
        #expect(head.count == bytes.count - 2 && head.fieldCount == 3)
        var cursor = FieldCursor(head.fields)
        var fields: [String] = []
        while let field = cursor.next(bytes.span) { fields.append("\(text(field.name))=\(text(field.value))|") }
        #expect(fields == ["A=b c|", "Host=A:80|", "D=|"])
        cursor = FieldCursor(head.fields)
        #expect(cursor.next(bytes.span).map { text($0.line) } == "A:  b c \r\n")
    }

    @Test("a head without fields has none")
    func noFields() throws {
        let (head, bytes) = try head("GET / HTTP/1.0\r\n\r\n")
        var cursor = FieldCursor(head.fields)
        #expect(head.fields.isEmpty && cursor.next(bytes.span) == nil && head.host.isEmpty)
    }

    @Test(
        "the normal form of a path has no escapes of plain characters or separators, and no empty segments; the query stays",
        arguments: [
            ("//admin", "/admin"), ("/public//admin?a//b=%61", "/public/admin?a//b=%61"), ("/%61dmin", "/admin"),
            ("/group%2Fname%5cx", "/group/name/x"), ("/a%20b%25", "/a%20b%25"), ("/a%2F%2f/b", "/a/b"),
        ])
    func normalPath(path: String, normal: String) throws {
        let (head, bytes) = try head("GET \(path) HTTP/1.1\r\nHost: a\r\n\r\n")
        var result: [UInt8] = []
        NormalPath.append(bytes.span, head.path, to: &result)
        #expect(String(decoding: result, as: UTF8.self) == normal)
        #expect(head.pathHasOtherForms == (path != normal))
    }

    @Test("a body of known length is taken without a look, in pieces of any size")
    func knownLength() throws {
        var body = BodyScanner(.length(10))
        let bytes: [UInt8] = Array("0123456789GET".utf8)
        #expect(!body.isComplete)
        #expect(try body.take(bytes.span.extracting(..<4)) == 4)
        #expect(!body.isComplete)
        #expect(try body.take(bytes.span.extracting(4...)) == 6)
        #expect(body.isComplete)
        #expect(try body.take(bytes.span.extracting(10...)) == 0)
    }

    @Test("what stands before a refusal is taken first, then the refusal is thrown, again and again")
    func refusalLater() throws {
        var body = BodyScanner(.chunked)
        let bytes = Array("5\r\nhello\r\nxyz\r\n".utf8)
        #expect(try body.take(bytes.span) == 10)
        for _ in 0..<2 {
            #expect(throws: Refusal.chunkSize) { _ = try body.take(bytes.span.extracting(10...)) }
        }
    }
}
