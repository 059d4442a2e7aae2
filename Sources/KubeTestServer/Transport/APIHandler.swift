import NIOCore
import NIOHTTP1

/// Reads requests of one HTTP/1 connection or HTTP/2 stream and sends their answers, with the faults that tests want.
final class APIHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    /// A header that tells the compressor, and nobody else, that a body is long enough to be compressed.
    static let compressionMark = "X-Test-Compress"
    /// How many bytes a body must have to be compressed, when the client allows it.
    private static let compressedFrom = 128 << 10
    /// How many events may wait for a watch whose client does not read; then it is ended cleanly.
    private static let slowLimit = 1_000

    /// Where the handler is.
    private enum Phase {
        case idle
        case reading(HTTPRequestHead, [UInt8])
        /// An answer is being sent.
        case answering
    }

    private let control: ServerControl
    private let connection: Connection
    private var phase = Phase.idle
    private var context: ChannelHandlerContext?
    private var keepsAlive = true

    // The answer under way.
    private var fault: Fault.Kind?
    /// Parts of the body that are still to be sent.
    private var outgoing: [[UInt8]] = []
    private var isEnding = false
    private var isPaused = false
    private var sentBytes = 0
    private var watch: Int?
    private var timers: [Int: Scheduled<Void>] = [:]
    private var lastTimer = 0

    init(_ control: ServerControl, _ connection: Connection) {
        self.control = control
        self.connection = connection
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        let loop = context.eventLoop
        connection.add(ObjectIdentifier(self)) { loop.execute { bound.value.pump() } }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        finishAnswer()
        self.context = nil
        connection.remove(ObjectIdentifier(self))
    }

    func channelInactive(context: ChannelHandlerContext) {
        finishAnswer()
        self.context = nil
        connection.remove(ObjectIdentifier(self))
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        pump()
        context.fireChannelWritabilityChanged()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch (unwrapInboundIn(data), phase) {
        // A request before the answer to the last one: no client of Kubernetes sends that.
        case (.head, .answering): context.close(promise: nil)
        case (.head(let head), _): phase = .reading(head, [])
        case (.body(let buffer), .reading(let head, let bytes)):
            phase = .reading(head, bytes + Array(buffer.readableBytesView))
        case (.end, .reading(let head, let bytes)):
            phase = .answering
            keepsAlive = head.isKeepAlive
            begin(head, bytes)
        case (.body, _), (.end, _): break
        }
    }

    // MARK: - Answers

    private func begin(_ head: HTTPRequestHead, _ body: [UInt8]) {
        let request = APIRequest(
            method: head.method.rawValue, uri: head.uri,
            headers: Dictionary(head.headers.map { ($0.name.lowercased(), $0.value) }, uniquingKeysWith: { $1 }),
            body: body, certificate: connection.certificate)
        let isWatch = ["1", "true"].contains(request.query["watch"])
        fault = control.fault(method: request.method, uri: request.uri, isWatch: isWatch)
        switch fault {
        case .tooManyRequests: send(.status(.tooManyRequests))
        case .initializing: send(.status(.initializing))
        case .unavailable: send(.status(.starting))
        case .plain(let code, let text):
            send(
                .whole(code: code, contentType: "text/plain; charset=utf-8", headers: [], pieces: [Array(text.utf8)]))
        case .silence: break
        case .delay(let time): after(time) { $0.send($0.control.router.answer(request)) }
        case .slow, .cut, .shorten, .corrupt, nil: send(control.router.answer(request))
        }
    }

    private func send(_ answer: APIAnswer) {
        switch answer {
        case .whole(let code, let type, let headers, let pieces):
            sendWhole(code: code, type: type, headers: headers, pieces: pieces)
        case .status(let status): send(status)
        case .late(let status): after(control.settings.freshnessWait) { $0.send(status) }
        case .watch(let resource, let namespace, let options): openWatch(resource, namespace, options)
        }
    }

    private func send(_ status: APIStatus) {
        var headers: [(name: String, value: String)] = []
        if let retryAfter = status.retryAfter { headers.append(("Retry-After", "\(retryAfter)")) }
        if status.hasNoSniff { headers.append(("X-Content-Type-Options", "nosniff")) }
        sendWhole(
            code: status.code, type: status.isPlainText ? "text/plain; charset=utf-8" : "application/json",
            headers: headers, pieces: [status.body])
    }

    private func sendWhole(
        code: Int, type: String, headers: [(name: String, value: String)], pieces: [[UInt8]]
    ) {
        let count = pieces.reduce(0) { $0 + $1.count }
        var extra = headers
        // A short body has a length, a longer one comes in chunks.
        if count <= ChunkWriter.size { extra.append(("Content-Length", "\(count)")) }
        if count >= APIHandler.compressedFrom { extra.append((APIHandler.compressionMark, "1")) }
        sendHead(code: code, type: type, extra)
        var writer = ChunkWriter()
        for piece in pieces { outgoing += writer.write(piece) }
        outgoing += writer.flush()
        isEnding = true
        pump()
    }

    private func sendHead(code: Int, type: String, _ extra: [(name: String, value: String)]) {
        guard let context else { return }
        var headers = HTTPHeaders([
            ("Audit-Id", "00000000-0000-4000-8000-000000000000"), ("Cache-Control", "no-cache, private"),
            ("Content-Type", type), ("X-Kubernetes-Pf-Flowschema-Uid", "00000000-0000-4000-8000-000000000001"),
            ("X-Kubernetes-Pf-Prioritylevel-Uid", "00000000-0000-4000-8000-000000000002"),
        ])
        for header in extra { headers.add(name: header.name, value: header.value) }
        if !keepsAlive, !connection.isHTTP2 { headers.add(name: "Connection", value: "close") }
        let head = HTTPResponseHead(version: .http1_1, status: HTTPResponseStatus(statusCode: code), headers: headers)
        context.writeAndFlush(wrapOutboundOut(.head(head)), promise: nil)
    }

    // MARK: - Watches

    private func openWatch(_ resource: APIResource, _ namespace: String?, _ options: ListOptions) {
        guard let context else { return }
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        let loop = context.eventLoop
        let start: ClusterState.WatchStart
        do throws(APIStatus) {
            start = try control.store.withState { state throws(APIStatus) in
                try state.watch(resource, namespace: namespace, options) { signal in
                    loop.execute { bound.value.receive(signal) }
                }
            }
        } catch {
            send(error)
            return
        }
        sendHead(code: 200, type: "application/json", [])
        switch start {
        case .refused(let line, let isLate):
            let end = { (handler: APIHandler) in
                handler.outgoing.append(line)
                handler.isEnding = true
                handler.pump()
            }
            if isLate { after(control.settings.freshnessWait, end) } else { end(self) }
        case .open(let id, let lines):
            watch = id
            var writer = ChunkWriter()
            for line in lines { outgoing += writer.write(line) }
            outgoing += writer.flush()
            schedule(options, id)
            pump()
        }
    }

    private func schedule(_ options: ListOptions, _ id: Int) {
        let settings = control.settings
        let timeout = options.timeout.flatMap { $0 > 0 ? TimeAmount.seconds(Int64($0)) : nil } ?? settings.watchTimeout
        after(timeout) { $0.receive(.end) }
        // The last bookmark comes two seconds before the end.
        if timeout > .seconds(2) { after(timeout - .seconds(2)) { $0.bookmark(id) } }
        repeatBookmark(id, settings.bookmarkInterval)
    }

    private func repeatBookmark(_ id: Int, _ interval: TimeAmount) {
        after(interval) {
            $0.bookmark(id)
            $0.repeatBookmark(id, interval)
        }
    }

    /// Through the store, so that no bookmark comes before an event of an earlier version.
    private func bookmark(_ id: Int) { control.store.with { $0.bookmark(id) } }

    private func receive(_ signal: Watcher.Signal) {
        guard watch != nil, !isEnding else { return }
        switch signal {
        case .lines(let lines):
            outgoing += lines
            // A client that does not read loses its watch, without an error.
            if outgoing.count > APIHandler.slowLimit, fault == nil {
                outgoing = []
                isEnding = true
            }
        case .end: isEnding = true
        }
        pump()
    }

    // MARK: - Bytes

    /// Sends what may be sent now.
    private func pump() {
        guard let context, case .answering = phase, !isPaused, !control.isSilent else { return }
        var didWrite = false
        while let next = outgoing.first, context.channel.isWritable {
            var part = next
            outgoing.removeFirst()
            switch fault {
            case .slow(let bytes, let time):
                if part.count > bytes {
                    outgoing.insert(Array(part[bytes...]), at: 0)
                    part = Array(part[..<bytes])
                }
                write(part, context)
                context.flush()
                isPaused = true
                after(time) {
                    $0.isPaused = false
                    $0.pump()
                }
                return
            case .cut(let limit) where sentBytes + part.count >= limit:
                write(Array(part.prefix(limit - sentBytes)), context)
                isPaused = true
                context.flush()
                // What was written must leave before the connection goes.
                let connection = connection
                context.eventLoop.scheduleTask(in: .milliseconds(5)) { connection.cut() }
                return
            case .shorten(let limit) where sentBytes + part.count >= limit:
                write(Array(part.prefix(limit - sentBytes)), context)
                outgoing = []
                isEnding = true
            case .corrupt(let place, let bytes):
                for (offset, byte) in bytes.enumerated() where part.indices.contains(place + offset - sentBytes) {
                    part[place + offset - sentBytes] = byte
                }
                write(part, context)
            case .cut, .shorten, .tooManyRequests, .initializing, .unavailable, .plain, .silence, .delay, nil:
                write(part, context)
            }
            didWrite = true
        }
        if didWrite { context.flush() }
        if outgoing.isEmpty, isEnding { end(context) }
    }

    private func write(_ bytes: [UInt8], _ context: ChannelHandlerContext) {
        sentBytes += bytes.count
        guard !bytes.isEmpty else { return }
        context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: bytes)))), promise: nil)
    }

    private func end(_ context: ChannelHandlerContext) {
        finishAnswer()
        let closes = !keepsAlive && !connection.isHTTP2
        let channel = context.channel
        let done = context.writeAndFlush(wrapOutboundOut(.end(nil)))
        if closes { done.whenComplete { _ in channel.close(promise: nil) } }
    }

    /// Forgets the answer that has ended.
    private func finishAnswer() {
        for timer in timers.values { timer.cancel() }
        timers = [:]
        if let watch { control.store.with { $0.close(watch) } }
        watch = nil
        outgoing = []
        isEnding = false
        isPaused = false
        sentBytes = 0
        fault = nil
        phase = .idle
    }

    private func after(_ time: TimeAmount, _ body: @escaping (APIHandler) -> Void) {
        guard let context else { return }
        lastTimer += 1
        let number = lastTimer
        timers[number] = context.eventLoop.assumeIsolated().scheduleTask(in: time) {
            self.timers[number] = nil
            body(self)
        }
    }
}
