import NIOCore
import NIOEmbedded
import NIOHTTP2
import Testing

@testable import KubeClient

/// Memory of bytes that wait for their reader.
@Suite struct CompactFramesTests {
    @Test("a frame's bytes leave the buffer that they came in")
    func ownBuffer() throws {
        let channel = EmbeddedChannel(handler: CompactFrames())
        var large = channel.allocator.buffer(capacity: 2 << 20)
        large.writeString("a list of pods, and what follows")
        let part = large.readSlice(length: 14)
        let slice = try #require(part)
        #expect(slice.storageCapacity >= 2 << 20)
        try channel.writeInbound(
            HTTP2Frame(streamID: 1, payload: .data(.init(data: .byteBuffer(slice), endStream: true))))
        let frame = try #require(try channel.readInbound(as: HTTP2Frame.self))
        guard case .data(let data) = frame.payload, case .byteBuffer(let bytes) = data.data else {
            Issue.record("no DATA frame came out")
            return
        }
        #expect(String(buffer: bytes) == "a list of pods" && data.endStream && frame.streamID == 1)
        #expect(bytes.storageCapacity < 1024)
        _ = try channel.finish()
    }

    @Test("other frames pass as they are")
    func others() throws {
        let channel = EmbeddedChannel(handler: CompactFrames())
        try channel.writeInbound(HTTP2Frame(streamID: 3, payload: .windowUpdate(windowSizeIncrement: 7)))
        let frame = try #require(try channel.readInbound(as: HTTP2Frame.self))
        guard case .windowUpdate(7) = frame.payload else {
            Issue.record("\(frame)")
            return
        }
        _ = try channel.finish()
    }
}
