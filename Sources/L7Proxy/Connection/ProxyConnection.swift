internal import HTTPScan
internal import NIOCore
internal import NIOPosix
internal import ProxyRules

/// One accepted connection and its connection to the server. Lives on one event loop. Bytes are forwarded as they came; requests
/// and responses are found in them by `RequestSide` and `ResponseSide`, and each request is decided before a byte of it is
/// forwarded.
///
/// Memory is bounded: a side is read only while what it sends can be taken, so a connection holds at most a head or the last read of
/// each side, and what waits to be written up to `ProxyLimits.waterMark` and one read more.
final class ProxyConnection {
    /// Where a connection is in its life.
    enum Phase {
        case open
        /// The client speaks HTTP/2: `http2` has the connection.
        case http2
        /// The connection carries DNS (`DNSExchange`).
        case dns
        /// The last answer is on its way; what the client still sends is thrown away.
        case lingering
        case closed
    }

    let shared: LoopState
    let client: any Channel
    let toClient: Outlet
    var server: (any Channel)? {
        didSet { outlet = server.map(Outlet.init) }
    }
    /// The server's.
    private var outlet: Outlet?
    var flow: ProxiedFlow
    let clientAddress: SocketAddress
    let localAddress: SocketAddress
    /// What the sockets of this connection take.
    let place: ConnectionPlace

    var phase = Phase.open
    // A tenth of a request's instructions would be checks that nobody else changes these meanwhile. Nobody does: one thread has the
    // connection, and no call that changes one of them in place calls anything but the scanners and the buffer itself.
    @exclusivity(unchecked) var requests: RequestSide
    @exclusivity(unchecked) var responses: ResponseSide
    @exclusivity(unchecked) var pending = CircularBuffer<PendingRequest>()
    /// What the client sent and no step took.
    @exclusivity(unchecked) var fromClient = ByteBuffer()
    /// What the server sent and no step took.
    @exclusivity(unchecked) var fromServer = ByteBuffer()
    /// What may be sent to the server once it is connected.
    var toServer = ByteBuffer()
    /// The connection to the server that is being made.
    var attempt: ServerAttempt?
    var isConnecting: Bool { attempt != nil }
    /// Whether there was a server. There is one in the life of a connection: bytes that were decided for it do not begin another.
    private var hasConnected = false
    var clientEnded = false
    var serverEnded = false
    /// Whether the server's connection was reset, or timed out.
    var serverFailed = false
    /// Whether a read was asked for and has not come.
    var clientReading = false
    var serverReading = false
    var rules: (book: RuleBook, rules: FlowRules)?
    var http2: HTTP2Session?
    /// What is under way while `phase` is `dns`.
    var dns = DNSExchange()
    /// Whether messages that came wait for another turn of the loop, while `phase` is `dns`.
    var isTurnDue = false
    /// Whether the client's events are HTTP/2's, to the last.
    var isHTTP2 = false
    /// Whether a request came: HTTP/2 begins with a connection.
    private var hasRequests = false
    /// Whether the client sent anything: by then it is settled what the connection carries.
    private var hasBytes = false
    /// Whether the server answered one to its end.
    var hasResponses = false

    /// What the access log says of a request that the sender's rules allow while the receiver's are not known yet.
    var undecided: AccessRecord?
    /// What the access log says of the connection; empty before its first line.
    var logText: [UInt8] = []
    /// When the present head began; `nil` outside of heads.
    var headSince: NIODeadline?
    var lastActivity: NIODeadline

    init(
        _ client: any Channel, shared: LoopState, flow: ProxiedFlow, place: ConnectionPlace, from: SocketAddress,
        to: SocketAddress
    ) {
        self.client = client
        toClient = Outlet(client)
        self.shared = shared
        self.flow = flow
        self.place = place
        clientAddress = from
        localAddress = to
        requests = RequestSide(limits: shared.limits.scan)
        responses = ResponseSide(limits: shared.limits.scan)
        lastActivity = shared.now
        shared.add(self)
    }

    /// Something came. What comes behind the last answer keeps nothing open.
    func touch() {
        if phase != .lingering { lastActivity = .now() }
    }

    // MARK: Events of the client

    func clientSent(_ bytes: ByteBuffer) {
        clientReading = false
        touch()
        if !hasBytes {
            hasBytes = true
            if phase == .open, shared.book.isDNS(egress: flow.egress, ingress: flow.ingress) { phase = .dns }
        }
        if phase == .dns {
            ProxyConnection.append(bytes, to: &fromClient)
            takeQueries()
            return readOn()
        }
        guard phase == .open else { return readOn() }
        ProxyConnection.append(bytes, to: &fromClient)
        takeRequests()
        readOn()
    }

    /// The client sends nothing more.
    func clientInputEnded() {
        clientEnded = true
        if phase == .dns { return endQueries() }
        guard phase == .open else { return close() }
        endRequests()
    }

    /// Behind the client's end: a request that is not complete never will be, and nothing follows the last answer. What was sent before is
    /// taken first.
    private func endRequests() {
        if responses.isTunnel {
            server?.close(mode: .output, promise: nil)
            return closeWhenBothEnded()
        }
        let mayTakeMore = isConnecting || requests.isWaiting || pending.count >= shared.limits.pipelined
        if mayTakeMore, fromClient.readableBytes > 0 || requests.isWaiting { return }
        headSince = nil
        if !requests.hasWholeRequest || pending.isEmpty && requests.isInHead {
            abort()
        } else if pending.isEmpty {
            // Behind the last answer, which may still be on its way.
            linger()
        } else {
            // The answers to what was sent are still due.
            requests.end()
            fromClient = ByteBuffer()
        }
    }

    // MARK: Events of the server

    func serverSent(_ bytes: ByteBuffer) {
        serverReading = false
        lastActivity = .now()
        if phase == .dns {
            ProxyConnection.append(bytes, to: &fromServer)
            takeDNSAnswers()
            return readOn()
        }
        guard phase == .open else { return }
        ProxyConnection.append(bytes, to: &fromServer)
        takeResponses()
        readOn()
    }

    func serverInputEnded() {
        serverEnded = true
        if phase == .dns { return endDNSAnswers() }
        guard phase == .open else { return }
        if responses.isTunnel {
            client.close(mode: .output, promise: nil)
            return closeWhenBothEnded()
        }
        if responses.endsWithConnection {
            responses.ended()
            finishFirst(keeps: false)
            return
        }
        guard let first = pending.first else { return linger() }
        // A connection that was kept and ended just now: without a proxy the client would see that, and ask again (RFC 9112 9.3.1).
        if case .server = first.answerer, !first.hasBegun, !hasResponses {
            answerFirst(.badResponse)
        } else {
            abort()
        }
    }

    // MARK: Requests

    /// Takes what the client sent as far as it goes.
    func takeRequests() {
        takeSteps()
        if clientEnded, phase == .open { endRequests() }
    }

    private func takeSteps() {
        var run = 0
        defer { if phase == .open { forward(run) } }
        while phase == .open {
            guard pending.count < shared.limits.pipelined else { return }
            guard let step = requestStep(behind: run) else { return }
            switch step {
            case .needMore:
                if requests.isInHead, headSince == nil { headSince = .now() }
                return
            case .wait: return
            case .forward(let count): run += count
            case .discard(let count):
                forward(run)
                run = 0
                // A write may find the server gone, and end everything.
                guard phase == .open else { return }
                drop(count)
            case .refuse(let refusal):
                forward(run)
                run = 0
                if phase == .open { refuse(refusal) }
                return
            case .http2:
                forward(run)
                run = 0
                guard phase == .open else { return }
                if hasRequests { refuse(.http2Preface) } else { beginHTTP2() }
                return
            case .head(let head):
                headSince = nil
                guard decide(head, &run) else { return }
            }
        }
    }

    private func requestStep(behind run: Int) -> RequestSide.Step? {
        // A reference, not a copy.
        let buffer = fromClient
        guard buffer.readableBytes > run else { return nil }
        return requests.step(buffer.readableBytesUInt8Span.extracting(run...))
    }

    func responseStep(behind run: Int) -> ResponseSide.Step? {
        let buffer = fromServer
        guard buffer.readableBytes > run else { return nil }
        return responses.step(buffer.readableBytesUInt8Span.extracting(run...))
    }

    /// Decides the request whose head begins behind `run` bytes that may be forwarded. `false`: it cannot be decided before the
    /// server is connected.
    private func decide(_ head: RequestHead, _ run: inout Int) -> Bool {
        hasRequests = true
        let rules = currentRules()
        let answer: FlowRules.Answer
        var record: AccessRecord?
        do {
            let buffer = fromClient
            let bytes = buffer.readableBytesUInt8Span.extracting(run...)
            answer = rules.decide(bytes, head, limits: shared.limits.scan)
            record = shared.lines?.record(of: bytes, head, answer)
        }
        if answer.isPermitted, !flow.isComplete {
            // The sender's end allows it; the receiver's is not known yet. A flow that stays incomplete never gets here again.
            undecided = record
            if server == nil, !isConnecting { connect() }
            return false
        }
        undecided = nil
        var request = PendingRequest(
            answerer: .server, method: head.knownMethod, upgrade: head.upgrade, isLast: !head.keepsConnection,
            since: lastActivity, record: consume record)
        guard answer.isPermitted else {
            shared.counters.denied += 1
            // A client that waits for 100 may send the body or not: what follows cannot be told apart.
            request.isLast = request.isLast || head.expectsContinue
            request.answerer = .local(.denied, closes: request.isLast)
            forward(run)
            run = 0
            guard phase == .open else {
                logUnanswered(&request)
                return false
            }
            drop(head.count)
            requests.take(head, isDiscarded: true, isLast: request.isLast, headerNames: rules.headerNames)
            // It is answered before this returns: given away, or its record's memory would not be there for the next one.
            append(consume request)
            return true
        }
        shared.counters.allowed += 1
        // Servers that expect no body with such a method may read it as the next request; so there is none.
        let closes = head.framing != .none && ProxyConnection.mayBeReadAsRequest(head)
        request.isLast = request.isLast || closes
        requests.take(head, isDiscarded: false, isLast: request.isLast, headerNames: rules.headerNames)
        let offersHTTP2 = head.upgrade == .http2
        if closes || offersHTTP2 || answer.rewritten != nil {
            forward(run)
            run = 0
            guard phase == .open else {
                logUnanswered(&request)
                return false
            }
            var bytes = answer.rewritten
            if closes || offersHTTP2 { bytes = withEnding(bytes, head, close: closes, withoutHTTP2: offersHTTP2) }
            drop(head.count)
            if let bytes { send(ByteBuffer(bytes: bytes)) }
            guard phase == .open else {
                logUnanswered(&request)
                return false
            }
        } else {
            run += head.count
        }
        append(request)
        return true
    }

    /// GET, DELETE, OPTIONS and methods of their own with a body.
    private static func mayBeReadAsRequest(_ head: RequestHead) -> Bool {
        switch head.knownMethod {
        case .post, .put, .patch: false
        case .get, .head, .delete, .options, .trace, .other: head.keepsConnection
        }
    }

    private func withEnding(_ rewritten: [UInt8]?, _ head: RequestHead, close: Bool, withoutHTTP2: Bool) -> [UInt8] {
        guard let rewritten else {
            let buffer = fromClient
            return HeadRewriting.ending(
                buffer.readableBytesUInt8Span, head, close: close, withoutHTTP2: withoutHTTP2)
        }
        var scanner = RequestHeadScanner(limits: shared.limits.scan)
        // It was scanned when it was made.
        guard case .head(let again)? = try? scanner.scan(rewritten.span) else { return rewritten }
        return HeadRewriting.ending(rewritten.span, again, close: close, withoutHTTP2: withoutHTTP2)
    }

    /// The rules in force now. The resolver is asked again when the book has changed, and before each request where the selection may
    /// change without it.
    func currentRules() -> FlowRules {
        let book = shared.book
        if let rules, rules.book === book, !shared.selectionsChange { return rules.rules }
        if rules != nil {
            let before = (flow.egress, flow.ingress, flow.isUnrestricted)
            take(shared.resolver.flow(of: clientAddress, to: localAddress))
            if let rules, rules.book === book, before == (flow.egress, flow.ingress, flow.isUnrestricted) {
                return rules.rules
            }
        }
        let fresh = book.rules(egress: flow.egress, ingress: flow.ingress, isUnrestricted: flow.isUnrestricted)
        rules = (book, fresh)
        return fresh
    }

    func append(_ request: consuming PendingRequest) {
        pending.append(consume request)
        if pending.count == 1 { beginFirst() }
    }

    /// Bytes that are not understood: a last answer, and never another byte to the server.
    private func refuse(_ refusal: Refusal) {
        headSince = nil
        shared.counters.refused[refusal, default: 0] += 1
        requests.end()
        fromClient = ByteBuffer()
        let answer = PendingRequest.Answerer.local(.refused(refusal), closes: true)
        if requests.isCut, let last = pending.indices.last, case .server = pending[last].answerer {
            // The server has a part of this request, and never gets the rest.
            let allowed = pending[last].record.take()
            pending[last].record = shared.lines?.record(refused: refusal, of: allowed)
            guard !pending[last].hasBegun else { return abort() }
            pending[last].answerer = answer
            if pending.count == 1 { beginFirst() }
            return
        }
        append(
            PendingRequest(
                answerer: answer, method: .other, upgrade: .none, isLast: true, since: .now(),
                record: shared.lines?.record(refused: refusal)))
    }

    // MARK: To the server

    /// Forwards the first bytes of what the client sent.
    private func forward(_ count: Int) {
        guard count > 0 else { return }
        var taken = 0
        if let outlet, !isConnecting { taken = outlet.offer(fromClient, count) }
        let rest = ProxyConnection.take(taken, of: count, from: &fromClient)
        if let rest { send(rest) }
    }

    /// Lets go of bytes that are not forwarded.
    private func drop(_ count: Int) { _ = ProxyConnection.take(count, of: count, from: &fromClient) }

    /// Lets go of the first `taken` bytes, and takes out those behind them up to `count`. A buffer that is empty is let go: then its memory is
    /// free for the next read.
    static func take(_ taken: Int, of count: Int, from buffer: inout ByteBuffer) -> ByteBuffer? {
        buffer.moveReaderIndex(forwardBy: taken)
        let rest = taken < count ? buffer.readSlice(length: count - taken) : nil
        if buffer.readableBytes == 0 { buffer = ByteBuffer() }
        return rest
    }

    func send(_ bytes: ByteBuffer) {
        if let outlet, !isConnecting { return outlet.write(bytes) }
        ProxyConnection.append(bytes, to: &toServer)
        if !isConnecting { connect() }
    }

    func connect() {
        guard !hasConnected else { return abort() }
        shared.connect(self)
    }

    func connected(_ channel: any Channel) {
        guard phase == .open || phase == .dns else { return channel.close(promise: nil) }
        server = channel
        hasConnected = true
        attempt = nil
        lastActivity = .now()
        guard flow.isComplete || completeFlow() else {
            shared.counters.unknownFlows += 1
            return failServer()
        }
        if toServer.readableBytes > 0 {
            let bytes = toServer
            toServer = ByteBuffer()
            send(bytes)
        }
        if phase == .dns {
            takeQueries()
            if clientEnded { endQueries() }
        } else {
            takeRequests()
        }
        readOn()
    }

    /// Asks for the receiver's end, which is known now; whether it is.
    func completeFlow() -> Bool {
        guard let again = shared.resolver.flow(of: clientAddress, to: localAddress), again.isComplete else {
            return false
        }
        take(again)
        rules = nil
        return true
    }

    /// The flow as the resolver knows it now. Of one that is connected both ends were known: if they are not any more, or the flow is
    /// not, nothing is allowed.
    private func take(_ again: ProxiedFlow?) {
        guard let again else {
            (flow.egress, flow.ingress) = (nil, nil)
            flow.isUnrestricted = false
            return
        }
        let isLost = (server != nil || http2?.isConnected == true) && !again.isComplete
        (flow.egress, flow.ingress) = isLost ? (nil, nil) : (again.egress, again.ingress)
        flow.isUnrestricted = !isLost && again.isUnrestricted
        flow.isComplete = isLost || again.isComplete
        guard (flow.client, flow.server) != (again.client, again.server) else { return }
        (flow.client, flow.server) = (again.client, again.server)
        logText = []
    }

    func notConnected() {
        guard phase == .open || phase == .dns else { return }
        attempt = nil
        shared.counters.noServer += 1
        failServer()
    }

    /// No request can reach the server.
    private func failServer() {
        // There is no answer to a query that says so: the client sees a connection that ends.
        if phase == .dns { return abort() }
        requests.end()
        // Those before the first were answered by the proxy itself, or are among them.
        guard pending.isEmpty else { return answerFirst(.noServer) }
        append(
            PendingRequest(
                answerer: .local(.noServer, closes: true), method: .other, upgrade: .none, isLast: true, since: .now(),
                record: undecided.take()))
    }

    /// Adds bytes; without a copy when nothing waits.
    private static func append(_ bytes: ByteBuffer, to buffer: inout ByteBuffer) {
        if buffer.readableBytes == 0 {
            buffer = bytes
        } else {
            var bytes = bytes
            buffer.discardReadBytes()
            buffer.writeBuffer(&bytes)
        }
    }
}
