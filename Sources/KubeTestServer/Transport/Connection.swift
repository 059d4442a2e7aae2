import NIOCore
import NIOHTTP2
import Synchronization

/// One TCP connection.
final class Connection: Sendable {
    let channel: any Channel
    private let state = Mutex(State())

    private struct State {
        var certificate: APIRequest.ClientCertificate?
        var isHTTP2 = false
        var answers: [ObjectIdentifier: @Sendable () -> Void] = [:]
    }

    init(_ channel: any Channel) { self.channel = channel }

    var certificate: APIRequest.ClientCertificate? {
        get { state.withLock { $0.certificate } }
        set { state.withLock { $0.certificate = newValue } }
    }

    var isHTTP2: Bool {
        get { state.withLock { $0.isHTTP2 } }
        set { state.withLock { $0.isHTTP2 = newValue } }
    }

    /// Notes an answer under way: what makes it go on after silence.
    func add(_ id: ObjectIdentifier, resume: @escaping @Sendable () -> Void) {
        state.withLock { $0.answers[id] = resume }
    }

    func remove(_ id: ObjectIdentifier) { state.withLock { $0.answers[id] = nil } }

    /// Lets the answers go on.
    func resume() { for resume in state.withLock({ Array($0.answers.values) }) { resume() } }

    /// Closes the connection as by kill -9: no last chunk, no TLS close_notify.
    func cut() {
        let channel = channel
        channel.eventLoop.execute {
            guard let handler = try? channel.pipeline.syncOperations.handler(type: CutHandler.self) else { return }
            handler.cut()
        }
    }

    /// Tells an HTTP/2 client to open no more streams here; HTTP/1 has no such message.
    func goAway() {
        guard isHTTP2 else { return }
        let frame = HTTP2Frame(
            streamID: .rootStream, payload: .goAway(lastStreamID: .maxID, errorCode: .noError, opaqueData: nil))
        channel.writeAndFlush(frame, promise: nil)
    }
}

/// Sits below TLS: what is closed here is closed without a word.
final class CutHandler: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = ByteBuffer

    private var context: ChannelHandlerContext?

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func cut() { context?.close(promise: nil) }
}
