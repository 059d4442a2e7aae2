/// One client's conversation, without its socket: which bytes are a request, and when the next one is listened to. No I/O.
///
/// A client has one request in flight. What it sends meanwhile is not read, so it stays in the socket's buffer, and the
/// client's own writes wait: it cannot make work faster than that is done.
struct ClientConnection: Sendable {
    private enum State {
        /// Nothing is asked.
        case listening
        /// A request is being served.
        case serving
        /// An error is on its way, after which the conversation is over.
        case ending
    }

    /// What the next line of a client is.
    enum Step: Equatable {
        /// Nothing whole yet, or not its time.
        case none
        /// A request to serve.
        case serve(APIRequest)
        /// The line was answered with an error.
        case refused
    }

    private var state = State.listening
    private var framer = LineFramer(limit: MessageCodec.requestLimit)
    /// The client will send nothing more.
    private var hasFinished = false
    var outgoing = OutgoingLines()
    /// When the client asked something last, or came; for choosing whom to turn away.
    private(set) var lastActive: ContinuousClock.Instant

    init(now: ContinuousClock.Instant) { lastActive = now }

    /// Whether bytes of the client are to be read.
    var reads: Bool {
        mutating get { isIdle && !hasFinished && !framer.hasLine }
    }

    /// Whether `next` may have something without more bytes.
    var hasWaitingLine: Bool {
        mutating get { isIdle && framer.hasLine }
    }

    /// Whether nothing is asked and everything answered.
    var isIdle: Bool { state == .listening && outgoing.isEmpty }

    /// Whether the conversation is over: all said, and nothing more to come.
    var isOver: Bool {
        mutating get {
            switch state {
            case .listening: hasFinished && outgoing.isEmpty && !framer.hasLine
            case .serving: false
            case .ending: outgoing.isEmpty
            }
        }
    }

    /// Whether nobody loses anything when the client is turned away for another one's sake: it has no request in flight.
    var isExpendable: Bool { state != .serving }

    /// Takes bytes of the client.
    mutating func take(_ bytes: some Sequence<UInt8>) { framer.feed(bytes) }

    /// The client will send nothing more; what it asked already is answered.
    mutating func finish() { hasFinished = true }

    /// Takes the next line.
    mutating func next(_ codec: MessageCodec, now: ContinuousClock.Instant) -> Step {
        guard isIdle else { return .none }
        do throws(MessageError) {
            guard let line = try framer.next() else { return .none }
            lastActive = now
            let request = try codec.decode(APIRequest.self, from: line)
            state = .serving
            return .serve(request)
        } catch {
            outgoing.add(answer: codec.line(.error(APIError(error))))
            if case .unknownType = error { return .refused }
            state = .ending
            return .refused
        }
    }

    /// The request in flight is answered.
    mutating func answer(_ line: [UInt8]) {
        guard state == .serving else { return }
        outgoing.add(answer: line)
        state = .listening
    }
}

extension MessageCodec {
    /// The line of a reply; of an error where the reply cannot be written.
    func line(_ reply: APIReply) -> [UInt8] {
        do throws(MessageError) {
            return try encode(reply)
        } catch {
            let version = MessageCodec.version
            return Array(
                #"{"error":{"code":"unavailable","message":"the answer cannot be written"},"type":"error","version":\#(version)}"#
                    .utf8) + [10]
        }
    }
}
