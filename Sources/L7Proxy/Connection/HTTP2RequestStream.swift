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
    /// The client's body, on its way to the server's stream.
    private let body = StreamBody()
    /// The server's, or that of an answer of the proxy's own.
    private let responseBody = StreamBody()
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
        if !session.streamBegan(self) {
            state = .ended
            return reset(.refusedStream)
        }
        if let stream = try? channel.syncOptions?.getOption(HTTP2StreamChannelOptions.streamID) {
            body.begin(from: session.clientGate, stream)
        }
        responseBody.begin(to: channel)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        session.connection.touch()
        let payload = unwrapInboundIn(data)
        switch payload {
        case .headers(let block):
            clientEnded = clientEnded || block.endStream
            switch state {
            case .head:
                if block.endStream { body.finish() }
                begin(block.headers)
            case .waiting, .opening, .open: forwardTrailers(block)
            case .ended: break
            }
        case .data(let data):
            clientEnded = clientEnded || data.endStream
            // Padding says nothing to a server.
            guard body.add(data.data) else { return session.faulted(.flowControl, isServer: false) }
            if data.endStream { body.finish() }
        case .windowUpdate: session.granted(isServer: false)
        case .priority, .rstStream, .settings, .pushPromise, .ping, .goAway, .alternativeService, .origin: break
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) { body.flush() }

    func channelWritabilityChanged(context: ChannelHandlerContext) { responseBody.flush() }

    func channelInactive(context: ChannelHandlerContext) {
        closeServer()
        responseBody.drop()
        if !responseEnded { logError() }
        session.streamEnded(self)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    // MARK: The request

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
        let isWhole = body.isNothing
        let fields = session.serverGate?.fields(headers) ?? headers
        server.write(HTTP2Frame.FramePayload.headers(.init(headers: fields, endStream: isWhole)), promise: nil)
        if isWhole {
            server.flush()
        } else {
            body.begin(to: server)
            body.flush()
        }
    }

    private func forwardTrailers(_ block: HTTP2Frame.FramePayload.Headers) {
        do throws(Refusal) {
            try HTTP2Head.check(
                trailers: block.headers, limits: session.shared.limits.scan,
                headerNames: session.connection.currentRules().headerNames)
            body.finish(session.serverGate?.fields(block.headers) ?? block.headers)
        } catch {
            session.shared.counters.refused[error, default: 0] += 1
            if !responseEnded { record = session.shared.lines?.record(refused: error, of: record.take()) }
            reset(.protocolError)
        }
    }

    // MARK: The response

    /// A head of the response, of which there may be several before its own.
    func responded(_ fields: HPACKHeaders, status: Int, ends: Bool) {
        guard isAnswering else { return }
        session.connection.touch()
        self.status = status
        let fields = session.clientGate.fields(fields)
        channel.write(HTTP2Frame.FramePayload.headers(.init(headers: fields, endStream: ends)), promise: nil)
        if ends { finish(headOnly: true) }
    }

    /// Bytes of the response.
    func responded(_ data: IOData, ends: Bool) {
        guard isAnswering else { return }
        session.connection.touch()
        guard responseBody.add(data) else { return session.faulted(.flowControl, isServer: true) }
        if ends { finish() }
    }

    /// The end of the response.
    func responded(trailers: HPACKHeaders) {
        guard isAnswering else { return }
        session.connection.touch()
        finish(session.clientGate.fields(trailers))
    }

    /// Whether the answer is the server's, and not complete.
    private var isAnswering: Bool {
        guard !responseEnded, case .open = state else { return false }
        return true
    }

    /// The server's stream takes more.
    func serverTakesMore() { body.flush() }

    /// The response comes on a stream of the server's.
    func responds(on stream: HTTP2StreamID) {
        if let gate = session.serverGate { responseBody.begin(from: gate, stream) }
    }

    /// A WINDOW_UPDATE of the server's.
    func granted() { session.granted(isServer: true) }

    /// No more of it is there now.
    func flush() {
        responseBody.flush()
        channel.flush()
    }

    /// The server's stream ended before its response did. `fault`: what the server did, where that is known; `isRefused`: it has not looked at
    /// the request, as the client is told too, who may repeat it (RFC 9113 8.7).
    func responseCut(_ fault: HTTP2Fault?, isRefused: Bool) {
        guard isAnswering else { return }
        if isRefused, status == 0 {
            responseEnded = true
            logError()
            return reset(.refusedStream)
        }
        if let fault = fault ?? session.serverFault {
            record = session.shared.lines?.record(of: record.take(), failedBy: fault.rawValue)
        }
        guard status >= 200 else {
            record?.decision = .error
            session.shared.counters.badResponses += 1
            return answer(.badResponse)
        }
        logError()
        reset(.internalError)
    }

    /// Called each `ProxyLimits.tick`: ends a stream of which one side takes nothing, so that others go on.
    func look(at now: NIODeadline) {
        let limit = session.shared.limits.stallTimeout
        let isServer = body.isStalled(at: now, limit)
        guard isServer || responseBody.isStalled(at: now, limit) else { return }
        session.count(.stalled, isServer: isServer)
        if !responseEnded {
            record = session.shared.lines?.record(of: record.take(), failedBy: HTTP2Fault.stalled.rawValue)
        }
        reset(.enhanceYourCalm)
    }

    private func answer(_ answer: LocalAnswer) {
        closeServer()
        status = answer.status
        let frames = HTTP2Answer.frames(answer, isGRPC: isGRPC, toHEAD: isHEAD)
        for frame in frames {
            if case .data(let data) = frame {
                _ = responseBody.add(data.data)
            } else {
                channel.write(frame, promise: nil)
            }
        }
        finish(headOnly: frames.count == 1)
    }

    /// The response is complete: what the client still sends has no reader.
    private func finish(_ trailers: HPACKHeaders? = nil, headOnly: Bool = false) {
        responseEnded = true
        log()
        if !clientEnded { closeServer() }
        guard !headOnly else {
            channel.flush()
            return resetUnended()
        }
        // A reset takes away what the client was not sent yet.
        responseBody.whenGone = { self.resetUnended() }
        responseBody.finish(trailers)
        responseBody.flush()
    }

    private func resetUnended() {
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
        body.drop()
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
