import NetpoldTestSupport
import TLSScan
import Testing

@Suite("the scanner of ClientHellos")
struct ClientHelloTests {
    private static let expected: [String: String?] = [
        "openssl-tls13": "www.example.com", "openssl-tls12": "api.stripe.com", "openssl-tls1-upper": "www.example.com",
        "openssl-no-name": nil, "python-ssl": "shop.example.com",
    ]

    @Test("those of real clients are read, with their names in lower case", arguments: HelloBytes.names)
    func real(name: String) throws {
        let bytes = try HelloBytes.recorded(name)
        let wanted = try #require(Self.expected[name])
        #expect(ClientHello.scan(bytes) == .hello(ClientHello(wanted, bytes.count)))
        // Early data behind it is not its business.
        #expect(ClientHello.scan(bytes + [20, 3, 3, 0, 1, 1]) == .hello(ClientHello(wanted, bytes.count)))
        for count in bytes.indices { #expect(ClientHello.scan(bytes.prefix(count)) == .more, "\(count) bytes") }
    }

    @Test("records may end anywhere in it", arguments: [1, 2, 3, 5, 7, 50, 200])
    func records(size: Int) {
        let message = HelloBytes.message(extensions: [
            HelloBytes.serverName("a.example.com"), HelloBytes.postQuantumShare(),
        ])
        let sizes = [Int](repeating: size, count: message.count / size)
        let bytes = HelloBytes.records(message, sizes: sizes)
        #expect(ClientHello.scan(bytes) == .hello(ClientHello("a.example.com", bytes.count)))
    }

    @Test("what is no ClientHello is refused at the first byte that shows it")
    func refused() {
        let hello = HelloBytes.hello("a.example.com")
        func changed(_ place: Int, _ byte: UInt8) -> [UInt8] {
            var bytes = hello
            bytes[place] = byte
            return Array(bytes.prefix(place + 1))
        }
        func message(_ extensions: [[UInt8]]) -> [UInt8] {
            HelloBytes.records(HelloBytes.message(extensions: extensions))
        }
        func name(_ text: String) -> [UInt8] { message([HelloBytes.serverName(text)]) }
        let cases: [([UInt8], HelloRefusal)] = [
            (Array("GET / HTTP/1.1".utf8), .notHandshake), ([0x80, 0x2e, 1, 0, 2], .notHandshake),
            ([21, 3, 1, 0, 2, 2, 40], .notHandshake), (changed(1, 2), .notHandshake),
            ([22, 3, 1, 0, 0], .recordLength), ([22, 3, 1, 0x40, 1], .recordLength),
            (changed(5, 2), .notClientHello), ([22, 3, 1, 0, 4, 1, 0, 0, 0], .length),
            ([22, 3, 1, 0, 4, 1, 0, 0x40, 1], .length), (changed(9, 2) + [3], .version), (changed(43, 33), .structure),
            (message([HelloBytes.serverName("a.b"), HelloBytes.serverName("a.b")]), .secondName),
            (message([HelloBytes.extension(0, [])]), .structure),
            (message([HelloBytes.extension(0, [0, 3, 1, 0, 0]), HelloBytes.extension(1, [])]), .notHostName),
            (message([HelloBytes.extension(0, HelloBytes.vector([0, 0, 1, 97, 0, 0, 1, 98], 2))]), .notHostName),
            (name("a.example.com."), .hostName), (name(".example.com"), .hostName), (name("a..example.com"), .hostName),
            (name(String(repeating: "a", count: 64)), .hostName),
            (name(String(repeating: "a.", count: 127)), .hostName),
            (HelloBytes.records(HelloBytes.message(extensions: [HelloBytes.serverName("a.b")]) + [11]), .excess),
        ]
        for (bytes, refusal) in cases { #expect(ClientHello.scan(bytes) == .refused(refusal), "\(bytes)") }
        let bare = HelloBytes.records(HelloBytes.message(extensions: nil))
        #expect(ClientHello.scan(bare) == .hello(ClientHello(nil, bare.count)))
    }
}

extension ClientHello {
    fileprivate init(_ name: String?, _ length: Int) { self.init(serverName: name, length: length) }
}
