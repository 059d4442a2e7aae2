internal import HTTPScan
internal import NIOCore
internal import NIOHPACK
internal import NIOHTTP2
internal import ProxyRules

/// One request of a client that speaks HTTP/2: decides it, then hands its frames to a stream of the server.
final class HTTP2RequestStream: ChannelInboundHandler {
    typealias InboundIn = HTTP2Frame.FramePayload

    private enum State {
        /// The head has not come.
        case head
        /// Waits for the server.
        case waiting(HTTP2Head)
        /// A stream of the server is being made for these fields.
        case opening(HPACKHeaders)
        case open(any Channel)
        /// Answered by the proxy, or over.
        case ended
    }

    private let session: HTTP2Session
    private let channel: any Channel
    private var state = State.head
    /// What came behind the head before a server's stream was there; bounded by the stream's window.
    private var early: [HTTP2Frame.FramePayload] = []
    private var record: AccessRecord?
    private var since = NIODeadline.now()
    private var isGRPC = false
    private var isHEAD = false
    private var clientEnded = false
    private var status = 0
    private var responseEnded = false

    init(_ session: HTTP2Session, _ channel: any Channel) {
        self.session = session
        self.channel = channel
    }

    // MARK: The client's events

    func channelActive(context: ChannelHandlerContext) {
        if !session.streamBegan() {
            state = .ended
            reset(.refusedStream)
        }
        readOn()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        session.connection.lastActivity = .now()
        let payload = unwrapInboundIn(data)
        switch payload {
        case .headers(let block):
            clientEnded = clientEnded || block.endStream
            if case .head = state { begin(block.headers) } else { forwardTrailers(block) }
        case .data(let data):
            clientEnded = clientEnded || data.endStream
            // Padding says nothing to a server.
            forward(.data(.init(data: data.data, endStream: data.endStream)))
        case .priority, .rstStream, .settings, .pushPromise, .ping, .goAway, .windowUpdate, .alternativeService,
            .origin:
            break
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        if case .open(let server) = state { server.flush() }
        readOn()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) { response?.readOn() }

    func channelInactive(context: ChannelHandlerContext) {
        closeServer()
        if !responseEnded { logError() }
        response = nil
        session.streamEnded(self)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    // MARK: The request

    /// Reads on when what comes can be taken.
    func readOn() {
        switch state {
        case .head, .ended: channel.read()
        case .open(let server): if server.isWritable { channel.read() }
        case .waiting, .opening: break
        }
    }

    private func begin(_ headers: HPACKHeaders) {
        since = .now()
        let shared = session.shared
        do throws(Refusal) {
            let head = try HTTP2Head(headers, limits: shared.limits.scan)
            isGRPC = head.isGRPC
            isHEAD = head.head.knownMethod == .head
            decide(head)
        } catch {
            shared.counters.refused[error, default: 0] += 1
            record = shared.lines?.record(refused: error)
            answer(.refused(error))
        }
    }

    private func decide(_ head: HTTP2Head) {
        let shared = session.shared
        var decision = session.decide(head)
        var headers = head.headers
        if let changed = decision.rewritten {
            if let rewritten = head.headers(of: changed, limits: shared.limits.scan) {
                headers = rewritten
            } else {
                decision.actionsBreakRequest = true
            }
        }
        record = shared.lines?.record(of: head.bytes.span, head.head, decision)
        if decision.isPermitted, !session.isComplete {
            state = .waiting(head)
            return session.connect(for: self)
        }
        guard decision.isPermitted else {
            shared.counters.denied += 1
            return answer(.denied)
        }
        shared.counters.allowed += 1
        state = .opening(headers)
        session.connect(for: self)
    }

    /// The server is connected.
    func connected() {
        switch state {
        case .waiting(let head): decide(head)
        case .opening: session.openStream(for: self)
        case .head, .open, .ended: break
        }
    }

    /// The server cannot be reached.
    func failed() {
        record?.decision = .error
        answer(.noServer)
    }

    /// The server's stream is there.
    func opened(_ server: any Channel) {
        guard case .opening(let headers) = state else { return server.close(promise: nil) }
        state = .open(server)
        let isWhole = clientEnded && early.isEmpty
        server.write(HTTP2Frame.FramePayload.headers(.init(headers: headers, endStream: isWhole)), promise: nil)
        for payload in early { server.write(payload, promise: nil) }
        early = []
        server.flush()
        readOn()
    }

    private func forwardTrailers(_ block: HTTP2Frame.FramePayload.Headers) {
        do throws(Refusal) {
            try HTTP2Head.check(trailers: block.headers, limits: session.shared.limits.scan)
            forward(.headers(.init(headers: block.headers, endStream: true)))
        } catch {
            session.shared.counters.refused[error, default: 0] += 1
            if !responseEnded { record = session.shared.lines?.record(refused: error, of: record.take()) }
            reset(.protocolError)
        }
    }

    private func forward(_ payload: HTTP2Frame.FramePayload) {
        switch state {
        case .open(let server): server.write(payload, promise: nil)
        case .waiting, .opening: early.append(payload)
        case .head, .ended: break
        }
    }

    // MARK: The response

    /// The handler of the server's stream.
    weak var response: HTTP2ResponseStream?

    /// Whether the client takes more.
    var isWritable: Bool { channel.isWritable }

    /// A frame of the response.
    func responded(_ payload: HTTP2Frame.FramePayload, status: Int?, ends: Bool) {
        session.connection.lastActivity = .now()
        if let status { self.status = status }
        if ends { responseEnded = true }
        channel.write(payload, promise: nil)
        if ends { finish() }
    }

    /// No more of it is there now.
    func flush() { channel.flush() }

    /// The server's stream ended before its response did.
    func responseCut() {
        guard !responseEnded, case .open = state else { return }
        if status == 0 {
            record?.decision = .error
            session.shared.counters.badResponses += 1
            return answer(.badResponse)
        }
        logError()
        reset(.internalError)
    }

    private func answer(_ answer: LocalAnswer) {
        state = .ended
        early = []
        status = answer.status
        responseEnded = true
        for frame in HTTP2Answer.frames(answer, isGRPC: isGRPC, toHEAD: isHEAD) { channel.write(frame, promise: nil) }
        finish()
    }

    /// The response is complete: what the client still sends has no reader.
    private func finish() {
        log()
        channel.flush()
        if !clientEnded { reset(.noError) }
    }

    private func reset(_ code: HTTP2ErrorCode) {
        closeServer()
        channel.writeAndFlush(HTTP2Frame.FramePayload.rstStream(code), promise: nil)
    }

    /// Nothing more of the request or its response. Ends the server's stream; one that both sides have ended is closed already.
    private func closeServer() {
        let before = state
        // First: closing it says that the response was cut, which is no news any more.
        state = .ended
        if case .open(let server) = before { server.close(promise: nil) }
    }

    private func logError() {
        if record?.decision == .allowed { record?.decision = .error }
        log()
    }

    private func log() {
        guard let record else { return }
        self.record = nil
        session.connection.log(record, status: status, since: since)
    }
}
