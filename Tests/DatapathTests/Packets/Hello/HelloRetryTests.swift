import CNetpoldABI
import NetTypes
import NetpoldTestSupport
import Testing

@testable import Datapath

/// Servers that ask for a second ClientHello: OpenSSL takes its name, whatever the first one's was.
@Suite("TLS server names: a second ClientHello", .needsRoot)
struct HelloRetryTests {
    private static let allowed = HelloBytes.hello("a.example.com", postQuantum: true)
    private static let denied = HelloBytes.hello("b.example.com", postQuantum: true)
    /// The record of a ServerHello, by its random.
    private static func serverHello(_ random: [UInt8]) -> [UInt8] {
        [22, 3, 3, 0, 60, 2, 0, 0, 56, 3, 3] + random + [UInt8](repeating: 0, count: 22)
    }

    /// A HelloRetryRequest (RFC 8446 4.1.3).
    private static let retry = serverHello([
        0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91, 0xc2, 0xa2,
        0x11,
        0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
    ])
    private static let usual = serverHello([UInt8](repeating: 7, count: 32))

    /// A connection whose server has the first ClientHello.
    private static func with(_ direction: Direction, _ body: (HelloConnection) throws -> Void) throws {
        try HelloConnection.with(direction) { connection throws in
            try connection.open()
            #expect(try connection.send(connection.client(0, allowed)) == NP_REASON_ALLOWED)
            // That it has got it says nothing of what it makes of it.
            #expect(try connection.send(connection.server(acknowledges: allowed.count)) == NP_REASON_REPLY)
            try body(connection)
        }
    }

    /// The same, further on in what the server sends.
    private static func behind(_ connection: HelloConnection, _ bytes: [UInt8]) -> HelloConnection {
        var later = connection
        later.serverStart &+= UInt32(bytes.count)
        return later
    }

    // With and without what a client sends before it to look like TLS 1.2.
    @Test(
        "its name is read as the first one's", arguments: [Direction.egress, .ingress],
        [[], [20, 3, 3, 0, 1, 1]] as [[UInt8]])
    func second(direction: Direction, before: [UInt8]) throws {
        let size = Self.allowed.count
        for (hello, wanted) in [(Self.allowed, NP_REASON_ALLOWED), (Self.denied, NP_DROP_SERVER_NAME)] {
            try Self.with(direction) { connection throws in
                #expect(try connection.send(connection.server(acknowledges: size, Self.retry)) == NP_REASON_REPLY)
                // Again, as it may have been lost.
                #expect(try connection.send(connection.server(acknowledges: size, Self.retry)) == NP_REASON_REPLY)
                let later = Self.behind(connection, Self.retry)
                let bytes = before + hello
                #expect(try later.send(later.client(size, bytes[..<700])) == NP_REASON_ESTABLISHED)
                #expect(try later.send(later.server(acknowledges: size + 700, Self.usual)) == NP_DROP_HELLO_ORDER)
                #expect(try later.send(later.client(size + 700, bytes[700...])) == wanted)
                guard wanted == NP_REASON_ALLOWED else { return }
                let whole = size + bytes.count
                #expect(try later.send(later.server(acknowledges: whole, Self.usual)) == NP_REASON_REPLY)
                let last = Self.behind(later, Self.usual)
                #expect(try last.send(last.client(whole, Self.denied)) == NP_REASON_ESTABLISHED)
            }
        }
    }

    @Test(
        "where the client has sent more before it was asked, the connection ends",
        arguments: [Direction.egress, .ingress])
    func ahead(direction: Direction) throws {
        let size = Self.allowed.count
        try Self.with(direction) { connection throws in
            #expect(try connection.send(connection.client(size, Self.denied)) == NP_REASON_ESTABLISHED)
            #expect(try connection.send(connection.server(acknowledges: size, Self.retry)) == NP_DROP_HELLO)
            #expect(try connection.send(connection.server(acknowledges: size, Self.usual)) == NP_DROP_HELLO)
        }
        // In one segment.
        try PacketHarness.with { harness throws in
            try harness.serveNames(["a.example.com"], direction)
            let connection = HelloConnection(harness: harness, direction: direction, port: 40_000)
            try connection.open()
            #expect(try connection.send(connection.client(0, Self.allowed + Self.denied)) == NP_REASON_ALLOWED)
            #expect(try connection.send(connection.server(acknowledges: size, Self.retry)) == NP_DROP_HELLO)
        }
    }

    @Test("what else the server begins with decides; before that nothing of it passes that nobody can tell")
    func usual() throws {
        let size = Self.allowed.count
        try Self.with(.egress) { connection throws in
            #expect(
                try connection.send(connection.server(acknowledges: size, Array(Self.retry[..<42])))
                    == NP_DROP_HELLO_ORDER)
            let later = Self.behind(connection, Self.usual)
            #expect(try later.send(later.server(acknowledges: size, Self.usual)) == NP_DROP_HELLO_ORDER)
            #expect(try connection.send(connection.client(size, [1, 2, 3])) == NP_REASON_ESTABLISHED)
            #expect(try connection.send(connection.server(acknowledges: size, Self.usual)) == NP_REASON_REPLY)
            #expect(try later.send(later.client(size + 3, Self.denied)) == NP_REASON_ESTABLISHED)
        }
        // An alert.
        try Self.with(.egress) { connection throws in
            let alert: [UInt8] = [21, 3, 3, 0, 2, 2, 40]
            #expect(try connection.send(connection.server(acknowledges: size, alert)) == NP_REASON_REPLY)
        }
    }
}
