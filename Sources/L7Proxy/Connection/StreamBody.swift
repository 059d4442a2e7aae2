internal import NIOCore
internal import NIOHPACK
internal import NIOHTTP2

/// The body of a request or a response of HTTP/2 on its way from one side's stream to the other's. What the other does not take waits
/// here in one piece, whatever frames it came in, and its sender is granted no more of its window meanwhile: so there is one window at most.
final class StreamBody {
    /// Writes that the other stream may have under way: small ones would cost more than their bytes.
    private static let mostWrites = 4

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
    /// Bytes that wait and that are under way.
    private var held = 0
    /// When the target last took some of them, or the first came.
    private var takenAt = NIODeadline.now()
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
        let count = bytes.readableBytes
        guard held + count <= WindowGate.window, source?.gate.hold(count) ?? true else { return false }
        if held == 0 { takenAt = .now() }
        held += count
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
            write(.data(.init(data: .byteBuffer(bytes), endStream: isLast)), bytes.readableBytes, to: target)
        }
        if !isOver, let end {
            isOver = true
            switch end {
            case .data: write(.data(.init(data: .byteBuffer(ByteBuffer()), endStream: true)), 0, to: target)
            case .trailers(let fields): write(.headers(.init(headers: fields, endStream: true)), 0, to: target)
            }
        }
        target.flush()
    }

    /// Whether its target has taken nothing for so long, while so much waits that nothing else comes.
    func isStalled(at now: NIODeadline, _ limit: TimeAmount) -> Bool {
        guard held > 0, let fullSince = source?.gate.fullSince else { return false }
        return now - fullSince > limit && now - takenAt > limit
    }

    /// Nobody wants the rest.
    func drop() {
        isOver = true
        let count = waiting.readableBytes
        waiting = ByteBuffer()
        whenGone = nil
        target = nil
        if let source { source.gate.forget(source.stream) }
        gone(count)
    }

    private func write(_ payload: HTTP2Frame.FramePayload, _ count: Int, to target: any Channel) {
        underWay += 1
        let promise = target.eventLoop.makePromise(of: Void.self)
        promise.futureResult.assumeIsolated().whenComplete { _ in self.wrote(count) }
        target.write(payload, promise: promise)
    }

    /// So many bytes are here no more. When all are gone their sender may send as many again.
    private func gone(_ count: Int) {
        guard count > 0 else { return }
        held -= count
        takenAt = .now()
        guard let source else { return }
        source.gate.release(count)
        if held == 0, !isOver { source.gate.open(source.stream) }
    }

    private func wrote(_ count: Int) {
        underWay -= 1
        gone(count)
        if waiting.readableBytes > 0 || !isOver && end != nil { flush() }
        guard isOver, underWay == 0, let whenGone else { return }
        self.whenGone = nil
        whenGone()
    }
}
