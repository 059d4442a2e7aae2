internal import NIOCore
internal import NIOHPACK
internal import NIOHTTP2
internal import Synchronization

/// Between the codec of an HTTP/2 connection and its socket. The codec grants a stream's window anew as soon as the stream's bytes are
/// read, and they are read at once: unread, each frame would cost a hundred times its bytes, and keep the whole read that it came in. So
/// the windows of streams whose bytes wait here are granted when those are gone, and that of the connection while not too many wait. It counts
/// the peer's WINDOW_UPDATE frames too.
final class WindowGate: ChannelOutboundHandler {
    typealias OutboundIn = IOData
    typealias OutboundOut = IOData

    /// WINDOW_UPDATE frames that a peer may send for each DATA frame that it gets: some grant anew what they have read in small pieces.
    private static let updatesForData = 20
    /// And for each stream.
    private static let updatesForStream = 10
    /// A peer's compression table grows to this at most, whatever it offers to keep: the encoder's here is as large.
    static let largestTable = 64 << 10

    private static let prefaceBytes = 24
    private static let headBytes = 9
    private static let updateBytes = 13
    private static let data: UInt32 = 0
    private static let windowUpdate: UInt32 = 8

    /// A window, of a stream and of the connection.
    static let window = 65_535

    private var context: ChannelHandlerContext?
    /// Bytes of all the peer's streams that are here.
    private var held = 0
    private let table: ConnectionTable
    private let limits: ProxyLimits
    /// Since when they are more than `mostHeld`: the peer is granted nothing of its connection's window.
    private(set) var fullSince: NIODeadline?
    /// The streams whose bytes wait, and what was not granted to them yet.
    private var shut: [HTTP2StreamID: Int] = [:]
    /// Bytes of the codec's before its next frame.
    private var behind: Int
    private var updatesLeft: Int
    private var offersLargeTable = false

    /// A gate of the connection to a server, or of a client's.
    init(toServer: Bool, _ limits: ProxyLimits, _ table: ConnectionTable) {
        behind = toServer ? WindowGate.prefaceBytes : 0
        updatesLeft = limits.windowUpdates
        self.limits = limits
        self.table = table
    }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    // MARK: Grants

    /// So many bytes of a stream have come.
    ///
    /// - Returns: `false` when the peer was granted less; then they are not counted. What it had been granted before no more was, and one read, may still come.
    func hold(_ count: Int) -> Bool {
        guard held + count <= limits.waitingBodies + 3 * WindowGate.window else { return false }
        held += count
        table.waitingBodies.add(count, ordering: .relaxed)
        if held > mostHeld, fullSince == nil {
            fullSince = .now()
            shut(.rootStream)
        }
        return true
    }

    /// How many may be here before the peer is granted no more.
    private var mostHeld: Int {
        table.waitingBodies.load(ordering: .relaxed) > limits.waitingBodiesOfAll
            ? min(WindowGate.window, limits.waitingBodies) : limits.waitingBodies
    }

    /// So many are gone.
    func release(_ count: Int) {
        held -= count
        table.waitingBodies.subtract(count, ordering: .relaxed)
        guard held <= mostHeld, fullSince != nil else { return }
        fullSince = nil
        open(.rootStream)
    }

    /// The stream's bytes wait; the connection's, of stream 0.
    func shut(_ stream: HTTP2StreamID) {
        if shut[stream] == nil { shut[stream] = 0 }
    }

    /// They are gone: the stream may send what it was not granted meanwhile.
    func open(_ stream: HTTP2StreamID) {
        guard let grant = shut.removeValue(forKey: stream), grant > 0, let context else { return }
        var frame = context.channel.allocator.buffer(capacity: WindowGate.updateBytes)
        frame.writeInteger(UInt32(4) << 8 | 8)
        frame.writeInteger(UInt8(0))
        frame.writeInteger(UInt32(Int32(stream)))
        frame.writeInteger(UInt32(min(grant, Int(Int32.max))))
        context.writeAndFlush(wrapOutboundOut(.byteBuffer(frame)), promise: nil)
    }

    /// Calls back when all that was written before has left, or never will.
    func whenWritten(_ done: @escaping () -> Void) {
        guard let context else { return done() }
        let promise = context.eventLoop.makePromise(of: Void.self)
        promise.futureResult.assumeIsolated().whenComplete { _ in done() }
        context.writeAndFlush(wrapOutboundOut(.byteBuffer(ByteBuffer())), promise: promise)
    }

    /// The stream is over.
    func forget(_ stream: HTTP2StreamID) { shut[stream] = nil }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard case .byteBuffer(let bytes) = unwrapOutboundIn(data), let (stream, grant) = update(in: bytes) else {
            return context.write(data, promise: promise)
        }
        shut[stream, default: 0] += grant
        promise?.succeed()
    }

    /// Follows the codec's frames, each of which begins in a write with its whole head. Of a write that is a WINDOW_UPDATE frame of a stream
    /// whose bytes wait: what it grants.
    private func update(in bytes: ByteBuffer) -> (HTTP2StreamID, Int)? {
        var at = bytes.readerIndex
        while at < bytes.writerIndex {
            let skipped = min(behind, bytes.writerIndex - at)
            behind -= skipped
            at += skipped
            // Length and type; flags and stream.
            guard at < bytes.writerIndex, let head = bytes.getInteger(at: at, as: UInt32.self),
                let number = bytes.getInteger(at: at + 5, as: UInt32.self)
            else { return nil }
            behind = WindowGate.headBytes + Int(head >> 8)
            if head & 0xff == WindowGate.data { allow(WindowGate.updatesForData) }
            guard head & 0xff == WindowGate.windowUpdate, bytes.readableBytes == WindowGate.updateBytes,
                let grant = bytes.getInteger(at: at + WindowGate.headBytes, as: UInt32.self)
            else { continue }
            let stream = HTTP2StreamID(Int(number))
            guard shut[stream] != nil else { continue }
            behind = 0
            return (stream, Int(grant))
        }
        return nil
    }

    // MARK: The peer's grants

    /// A stream has begun.
    func streamBegan() { allow(WindowGate.updatesForStream) }

    private func allow(_ updates: Int) {
        // So much that a counter never ends.
        if updatesLeft < 1 << 40 { updatesLeft += updates }
    }

    /// The peer has sent a WINDOW_UPDATE frame. `false`: one too many.
    func takesUpdate() -> Bool {
        updatesLeft -= 1
        return updatesLeft >= 0
    }

    // MARK: The compression table

    /// The peer has sent its settings.
    func settled(_ settings: HTTP2Settings) {
        for setting in settings where setting.parameter == .headerTableSize {
            offersLargeTable = setting.value > WindowGate.largestTable
        }
    }

    /// The fields as they are written to the peer: those for one that offers a large table stay out of it.
    func fields(_ headers: HPACKHeaders) -> HPACKHeaders {
        guard offersLargeTable else { return headers }
        var result = HPACKHeaders()
        for (name, value, indexing) in headers {
            result.add(name: name, value: value, indexing: indexing == .neverIndexed ? indexing : .nonIndexable)
        }
        return result
    }
}
