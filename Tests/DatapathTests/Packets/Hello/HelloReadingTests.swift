import CNetpoldABI
import NetpoldTestSupport
import PolicyAPI
import PolicyIR
import TLSScan
import Testing

@testable import Datapath

/// What np_hello reads, against the scanner (`TLSScan`), which is another program for the same.
@Suite("TLS server names: reading ClientHellos", .needsRoot)
struct HelloReadingTests {
    private static let patterns = ["*.example.com", "api.stripe.com"]

    /// All hellos that tests cut: recorded and built.
    private static func hellos() throws -> [[UInt8]] {
        let message = HelloBytes.message(extensions: [
            HelloBytes.postQuantumShare(), HelloBytes.serverName("a.example.com"),
        ])
        return try HelloBytes.names.map { try HelloBytes.recorded($0) } + [
            HelloBytes.hello("pq.example.com", postQuantum: true), HelloBytes.hello("other.example.org"),
            HelloBytes.hello(nil, postQuantum: true), HelloBytes.records(message, sizes: [1, 3, 60, 700]),
        ]
    }

    private static func isAllowed(_ name: String?) -> Bool {
        guard let name else { return false }
        return patterns.contains { NamePattern(.pattern($0)).matches(name) }
    }

    /// What is to become of a client's segment, once all before it and itself are `bytes`.
    private static func expected(_ bytes: some Collection<UInt8>) -> np_reason {
        switch ClientHello.scan(bytes) {
        case .more: NP_REASON_ESTABLISHED
        case .hello(let hello): isAllowed(hello.serverName) ? NP_REASON_ALLOWED : NP_DROP_SERVER_NAME
        case .refused: NP_DROP_HELLO
        }
    }

    /// Sends bytes in segments that end at `ends`; up to the first one that decides.
    private static func send(_ bytes: [UInt8], ends: [Int], by connection: HelloConnection) throws {
        // Connections that were answered make no room for others.
        if connection.port.isMultiple(of: 1000) { try connection.harness.forgetConnections() }
        try connection.send(connection.syn())
        try connection.send(connection.synAck())
        var begin = 0
        for end in ends {
            let wanted = expected(bytes.prefix(end))
            let reason = try connection.send(connection.client(begin, bytes[begin..<end]))
            #expect(reason == wanted, "bytes \(begin) to \(end) of \(bytes)")
            if wanted != NP_REASON_ESTABLISHED { return }
            begin = end
        }
    }

    @Test("in two segments, cut at every byte; nothing of the server passes before the whole")
    func splits() throws {
        try PacketHarness.with { harness throws in
            try harness.serveNames(Self.patterns)
            var port: UInt16 = 1024
            for hello in try Self.hellos() {
                for cut in 1..<hello.count {
                    port += 1
                    let connection = HelloConnection(harness: harness, v6: cut.isMultiple(of: 2), port: port)
                    try Self.send(hello, ends: [cut, hello.count], by: connection)
                }
            }
        }
    }

    @Test("cut off at every byte: the server's bytes do not pass, its acknowledgements do")
    func truncated() throws {
        try PacketHarness.with { harness throws in
            try harness.serveNames(Self.patterns)
            let hello = HelloBytes.hello("a.example.com")
            let hits = try harness.helloHits()
            for count in hello.indices {
                let connection = HelloConnection(
                    harness: harness, v6: count.isMultiple(of: 2), port: 2000 + UInt16(count))
                try connection.open()
                if count > 0 {
                    #expect(try connection.send(connection.client(0, hello.prefix(count))) == NP_REASON_ESTABLISHED)
                }
                #expect(
                    try connection.send(connection.server(acknowledges: count, [1, 2, 3])) == NP_DROP_HELLO_ORDER)
                #expect(try connection.send(connection.server(acknowledges: count)) == NP_REASON_REPLY)
                #expect(
                    try connection.send(connection.client(count, [], flags: HelloConnection.Flags.fin))
                        == NP_REASON_ESTABLISHED)
                #expect(
                    try connection.send(connection.server(acknowledges: count, [], flags: HelloConnection.Flags.fin))
                        == NP_REASON_REPLY)
                #expect(
                    try connection.send(connection.client(count, hello.dropFirst(count))) == NP_REASON_ALLOWED)
                #expect(
                    try connection.send(connection.server(acknowledges: hello.count, [1, 2, 3])) == NP_REASON_REPLY)
            }
            #expect(try harness.helloHits() - hits == UInt64(hello.count))
        }
    }

    @Test("in many segments and records of random sizes")
    func manyPieces() throws {
        try PacketHarness.with { harness throws in
            try harness.serveNames(Self.patterns)
            var random = SplitMix64(seed: 9)
            for round in 0..<DifferentialSize.flows(otherwise: 400) {
                let message = HelloBytes.message(
                    extensions: [
                        HelloBytes.extension(10, [0, 2, 0, 29]), HelloBytes.postQuantumShare(),
                        HelloBytes.serverName(round.isMultiple(of: 3) ? "no.example.org" : "yes.example.com"),
                    ].shuffled(using: &random))
                let sizes = (0..<Int.random(in: 0...6, using: &random)).map { _ in
                    Int.random(in: 1...400, using: &random)
                }
                let bytes = HelloBytes.records(message, sizes: sizes)
                let cuts = (0..<Int.random(in: 0...12, using: &random)).map { _ in
                    Int.random(in: 1..<bytes.count, using: &random)
                }
                let connection = HelloConnection(
                    harness: harness, v6: round.isMultiple(of: 2), port: 10_000 + UInt16(round % 50_000))
                try Self.send(bytes, ends: Set(cuts + [bytes.count]).sorted(), by: connection)
            }
        }
    }

    @Test("changed at random, in one segment and in several: what the scanner says")
    func changed() throws {
        try PacketHarness.with { harness throws in
            try harness.serveNames(Self.patterns)
            var random = SplitMix64(seed: 4)
            let hellos = try Self.hellos().filter { $0.count < 700 }
            var verdicts: [UInt32: Int] = [:]
            for round in 0..<DifferentialSize.flows(otherwise: 4000) {
                var bytes = hellos[round % hellos.count]
                for _ in 0..<Int.random(in: 1...3, using: &random) {
                    let place = Int.random(in: bytes.indices, using: &random)
                    switch Int.random(in: 0..<5, using: &random) {
                    case 0: bytes[place] = UInt8.random(in: 0...255, using: &random)
                    case 1: bytes[place] &+= 1
                    case 2: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
                    case 3: bytes.insert(UInt8.random(in: 0...255, using: &random), at: place)
                    default: bytes.remove(at: place)
                    }
                }
                let cut = Int.random(in: 1...bytes.count, using: &random)
                let connection = HelloConnection(
                    harness: harness, v6: round.isMultiple(of: 2), port: 1024 + UInt16(round % 60_000))
                try Self.send(bytes, ends: Set([cut, bytes.count]).sorted(), by: connection)
                verdicts[Self.expected(bytes).rawValue, default: 0] += 1
            }
            // Each verdict has been had, so the changes go deep enough.
            for verdict in [NP_REASON_ESTABLISHED, NP_REASON_ALLOWED, NP_DROP_SERVER_NAME, NP_DROP_HELLO] {
                #expect(verdicts[verdict.rawValue, default: 0] > 10, "\(verdict.rawValue)")
            }
        }
    }

    @Test("names of every length and form")
    func names() throws {
        try PacketHarness.with { harness throws in
            try harness.serveNames(["**.example.com", "10.1.2.3", "*.*.*.star"])
            let label = String(repeating: "x", count: 63)
            let longest = "\(label).\(label).\(label).\(String(repeating: "y", count: 49)).example.com"
            let cases: [(String, np_reason)] = [
                ("a.example.com", NP_REASON_ALLOWED), ("A.ExAmPlE.CoM", NP_REASON_ALLOWED),
                ("a.b.c.example.com", NP_REASON_ALLOWED), ("example.com", NP_DROP_SERVER_NAME),
                ("a.example.org", NP_DROP_SERVER_NAME), ("aexample.com", NP_DROP_SERVER_NAME),
                (longest, NP_REASON_ALLOWED), ("y" + longest, NP_DROP_HELLO),
                (label + ".example.com", NP_REASON_ALLOWED),
                ("x" + label + ".example.com", NP_DROP_HELLO), ("a.example.com.", NP_DROP_HELLO),
                ("a..example.com", NP_DROP_HELLO), (".example.com", NP_DROP_HELLO), (".", NP_DROP_HELLO),
                ("10.1.2.3", NP_REASON_ALLOWED), ("10.1.2.4", NP_DROP_SERVER_NAME), ("::1", NP_DROP_SERVER_NAME),
                ("a\0b.example.com", NP_DROP_SERVER_NAME), ("ä.example.com", NP_DROP_SERVER_NAME),
                ("a_b-c.1.star", NP_DROP_SERVER_NAME), ("a_b-c.1.2.star", NP_REASON_ALLOWED),
                ("*.example.com", NP_DROP_SERVER_NAME),
            ]
            #expect(longest.utf8.count == 253)
            for (number, (name, wanted)) in cases.enumerated() {
                let connection = HelloConnection(harness: harness, port: 3000 + UInt16(number))
                try connection.open()
                #expect(try connection.send(connection.client(0, HelloBytes.hello(name))) == wanted, "\(name)")
            }
        }
    }

    @Test("as long as may be, over segments")
    func longest() throws {
        try PacketHarness.with { harness throws in
            try harness.serveNames(Self.patterns)
            for (extra, wanted) in [(0, NP_REASON_ALLOWED), (1, NP_DROP_HELLO)] {
                let name = HelloBytes.serverName("a.example.com")
                let rest = HelloBytes.message(extensions: [name, HelloBytes.extension(21, [])]).count - 4
                let padding = (1 << 14) - rest + extra
                let message = HelloBytes.message(
                    extensions: [name, HelloBytes.extension(21, [UInt8](repeating: 0, count: padding))])
                let bytes = HelloBytes.records(message, sizes: [8000, 8000])
                #expect(message.count == 4 + (1 << 14) + extra)
                let connection = HelloConnection(harness: harness, port: 4000 + UInt16(extra))
                try connection.open()
                for begin in stride(from: 0, to: bytes.count, by: 1400) {
                    let end = min(begin + 1400, bytes.count)
                    let reason = try connection.send(connection.client(begin, bytes[begin..<end]))
                    if reason != NP_REASON_ESTABLISHED {
                        #expect(reason == wanted && (extra == 1 || end == bytes.count))
                        break
                    }
                    #expect(end < bytes.count)
                }
            }
        }
    }
}
