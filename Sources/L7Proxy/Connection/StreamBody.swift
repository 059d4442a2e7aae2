internal import NIOCore
internal import NIOHPACK
internal import NIOHTTP2

/// The body of a request or a response of HTTP/2 on its way from one side's stream to the other's. What the other does not take waits
/// here in one piece, whatever frames it came in, and its sender is granted no more of its window meanwhile: so there is one window at most.
final class StreamBody {
    /// Writes that the other stream may have under way: small ones would cost more than their bytes.
    private static let mostWrites = 4
    /// A stream's window: what of it may wait.
    private static let window = 65_535

    private enum End {
        case data
        case trailers(HPACKHeaders)
    }

    /// Where the bytes come from: whose windows, and which stream.
    private var source: (gate: WindowGate, stream: HTTP2StreamID)?
    /// Where they go.
    private var target: (any Channel)?
    private var waiting = ByteBuffer()
    private var end: End?
    private var underWay = 0
    /// Whether the end is written, or nobody wants the rest.
    private var isOver = false
    /// Called once when the end has left.
    var whenGone: (() -> Void)?

    /// Whether it ended without a byte and without trailers.
    var isNothing: Bool {
        guard waiting.readableBytes == 0, case .data? = end else { return false }
        return true
    }

    /// Names the stream that sends it.
    func begin(from gate: WindowGate, _ stream: HTTP2StreamID) {
        if source == nil { source = (gate, stream) }
    }

    /// Names the stream that takes it, to which its head was written.
    func begin(to channel: any Channel) { target = channel }

    /// Bytes of it. They go with the next `flush`.
    ///
    /// - Returns: `false` when they are more than their sender was granted. The codec does not see that: it takes what the gate keeps back
    ///   for granted.
    func add(_ data: IOData) -> Bool {
        guard !isOver, end == nil, case .byteBuffer(var bytes) = data, bytes.readableBytes > 0 else { return true }
        guard waiting.readableBytes + bytes.readableBytes <= StreamBody.window else { return false }
        if waiting.readableBytes > 0 {
            waiting.writeBuffer(&bytes)
        } else if bytes.readableBytes < bytes.storageCapacity / 4 {
            // A piece of a read keeps the whole of it.
            waiting = ByteBuffer(bytes: bytes.readableBytesView)
        } else {
            waiting = bytes
        }
        if let source { source.gate.shut(source.stream) }
        return true
    }

    /// Nothing follows.
    func finish(_ trailers: HPACKHeaders? = nil) {
        if end == nil { end = trailers.map(End.trailers) ?? .data }
    }

    /// Gives the other stream what it takes.
    func flush() {
        guard let target, !isOver, underWay < StreamBody.mostWrites else { return }
        if waiting.readableBytes > 0 {
            guard target.isWritable else { return }
            let bytes = waiting
            waiting = ByteBuffer()
            let isLast = if case .data? = end { true } else { false }
            isOver = isLast
            write(.data(.init(data: .byteBuffer(bytes), endStream: isLast)), to: target)
        }
        if !isOver, let end {
            isOver = true
            switch end {
            case .data: write(.data(.init(data: .byteBuffer(ByteBuffer()), endStream: true)), to: target)
            case .trailers(let fields): write(.headers(.init(headers: fields, endStream: true)), to: target)
            }
        }
        target.flush()
        if let source, waiting.readableBytes == 0 { source.gate.open(source.stream) }
    }

    /// Nobody wants the rest.
    func drop() {
        isOver = true
        waiting = ByteBuffer()
        whenGone = nil
        target = nil
        if let source { source.gate.forget(source.stream) }
    }

    private func write(_ payload: HTTP2Frame.FramePayload, to target: any Channel) {
        underWay += 1
        let promise = target.eventLoop.makePromise(of: Void.self)
        promise.futureResult.assumeIsolated().whenComplete { _ in self.wrote() }
        target.write(payload, promise: promise)
    }

    private func wrote() {
        underWay -= 1
        if waiting.readableBytes > 0 || !isOver && end != nil { flush() }
        guard isOver, underWay == 0, let whenGone else { return }
        self.whenGone = nil
        whenGone()
    }
}
