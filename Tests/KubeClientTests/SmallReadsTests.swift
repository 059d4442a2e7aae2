import NIOCore
import NIOEmbedded
import NIOHPACK
import NIOHTTP2
import Testing

@testable import KubeClient

/// Memory of what is read from an API server.
@Suite struct SmallReadsTests {
    /// What a connection keeps, told by the buffers that its frames are slices of.
    private struct Outcome {
        /// Bytes of the largest buffer.
        var largest = 0
        var text = ""
        var frames = 0
    }

    /// A list in many frames, read at once, and then events, each a frame and a read of its own, through the frame decoder.
    private func read(_ events: [String], _ handlers: [any ChannelInboundHandler & Sendable]) throws -> Outcome {
        let settings = [HTTP2Setting(parameter: .initialWindowSize, value: Int(Int32.max))]
        let channel = EmbeddedChannel()
        let pipeline = channel.pipeline.syncOperations
        for handler in handlers { try pipeline.addHandler(handler) }
        try pipeline.addHandler(NIOHTTP2Handler(mode: .client, initialSettings: settings))
        try channel.connect(to: SocketAddress(unixDomainSocketPath: "/nowhere")).wait()
        // The server's settings, and that it has taken the client's.
        try channel.writeInbound(frame(type: 4, stream: 0, []))
        try channel.writeInbound(frame(type: 4, flags: 1, stream: 0, []))
        try channel.writeOutbound(
            HTTP2Frame(streamID: .rootStream, payload: .windowUpdate(windowSizeIncrement: 1 << 30)))
        let request = HPACKHeaders([
            (":method", "GET"), (":path", "/"), (":scheme", "https"), (":authority", "a"),
        ])
        try channel.writeOutbound(
            HTTP2Frame(streamID: 1, payload: .headers(.init(headers: request, endStream: true))))
        // ":status: 200" of the static table.
        try channel.writeInbound(frame(type: 1, flags: 4, stream: 1, [0x88]))
        var outcome = Outcome()
        let list = events.map { frame(type: 0, stream: 1, Array($0.utf8)) }.reduce(into: ByteBuffer()) {
            $0.writeImmutableBuffer($1)
        }
        for bytes in [list] + events.map({ frame(type: 0, stream: 1, Array($0.utf8)) }) {
            try channel.writeInbound(bytes)
            while let frame = try channel.readInbound(as: HTTP2Frame.self) {
                guard case .data(let data) = frame.payload, case .byteBuffer(let bytes) = data.data else { continue }
                outcome.largest = max(outcome.largest, bytes.storageCapacity)
                outcome.text += String(buffer: bytes)
                outcome.frames += 1
            }
        }
        _ = try? channel.finish(acceptAlreadyClosed: true)
        return outcome
    }

    private func frame(type: UInt8, flags: UInt8 = 0, stream: UInt32, _ payload: [UInt8]) -> ByteBuffer {
        var bytes = ByteBuffer()
        bytes.writeInteger(UInt8(payload.count >> 16))
        bytes.writeInteger(UInt16(truncatingIfNeeded: payload.count))
        bytes.writeInteger(type)
        bytes.writeInteger(flags)
        bytes.writeInteger(stream)
        bytes.writeBytes(payload)
        return bytes
    }

    private let events = (0..<500).map { "\($0) " + String(repeating: "x", count: 10_000) }

    @Test("what a connection keeps of a list is small, and nothing of it is lost")
    func small() throws {
        let outcome = try read(events, [SmallReads()])
        #expect(outcome.text == events.joined() + events.joined())
        #expect(outcome.largest <= 4 * SmallReads.pieceBytes)
    }

    @Test("without small reads it keeps as much as came at a time")
    func keeps() throws {
        let outcome = try read(events, [])
        #expect(outcome.text == events.joined() + events.joined())
        #expect(outcome.largest > 4 << 20)
    }

    @Test("pieces are small, and nothing is lost", arguments: [0, 1, 2, 16_384, 16_385, 100_000])
    func pieces(count: Int) throws {
        let channel = EmbeddedChannel(handler: SmallReads())
        let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0) }
        try channel.writeInbound(ByteBuffer(bytes: bytes))
        var pieces: [[UInt8]] = []
        while let piece = try channel.readInbound(as: ByteBuffer.self) { pieces.append(Array(piece.readableBytesView)) }
        #expect(pieces.flatMap { $0 } == bytes)
        #expect(pieces.allSatisfy { (1...SmallReads.pieceBytes).contains($0.count) })
        _ = try channel.finish()
    }
}
