import NIOCore
import NIOHPACK
import NIOHTTP2
import NIOPosix
import Synchronization

/// A client of HTTP/2 with prior knowledge. It checks nothing of what it sends.
struct HTTP2TestClient {
    /// What came of a request.
    struct Response: Sendable {
        var status = ""
        var fields: [String: String] = [:]
        var body: [UInt8] = []
        var trailers: [String: String] = [:]
        var isComplete = false
    }

    let channel: any Channel
    private let multiplexer: NIOHTTP2Handler.StreamMultiplexer

    static func connect(_ group: any EventLoopGroup, to address: SocketAddress) async throws -> HTTP2TestClient {
        let channel = try await ClientBootstrap(group: group)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    var configuration = NIOHTTP2Handler.ConnectionConfiguration()
                    configuration.headerBlockValidation = .disabled
                    configuration.contentLengthValidation = .disabled
                    let handler = NIOHTTP2Handler(
                        mode: .client, eventLoop: channel.eventLoop, connectionConfiguration: configuration
                    ) { $0.close() }
                    try channel.pipeline.syncOperations.addHandler(handler)
                }
            }
            .connect(to: address).get()
        let multiplexer = try await channel.eventLoop.submit {
            try channel.pipeline.syncOperations.handler(type: NIOHTTP2Handler.self).syncMultiplexer()
        }.get()
        return HTTP2TestClient(channel: channel, multiplexer: multiplexer)
    }

    /// One request under way.
    struct Stream: Sendable {
        let channel: any Channel
        let state: Mutex2<Response>

        func send(_ bytes: [UInt8], ends: Bool = false) async throws {
            let data = HTTP2Frame.FramePayload.data(.init(data: .byteBuffer(ByteBuffer(bytes: bytes)), endStream: ends))
            try await channel.writeAndFlush(data)
        }

        func end(_ trailers: HPACKHeaders) async throws {
            try await channel.writeAndFlush(
                HTTP2Frame.FramePayload.headers(.init(headers: trailers, endStream: true)))
        }

        /// Waits until the response is as wanted, at most 10 s.
        func response(_ isEnough: (Response) -> Bool = { $0.isComplete }) async throws -> Response {
            for _ in 0..<5_000 {
                let response = state.value.withLock { $0 }
                if isEnough(response) { return response }
                try await Task.sleep(nanoseconds: 2_000_000)
            }
            return state.value.withLock { $0 }
        }
    }

    /// Begins a request.
    func begin(_ fields: [(String, String)], ends: Bool = true) async throws -> Stream {
        try await begin(HPACKHeaders(fields), ends: ends)
    }

    func begin(_ headers: HPACKHeaders, ends: Bool = true) async throws -> Stream {
        let state = Mutex2(Response())
        let stream = try await multiplexer.createStreamChannel { channel in
            channel.eventLoop.makeCompletedFuture {
                try channel.pipeline.syncOperations.addHandler(Collector(state))
            }
        }.get()
        try await stream.writeAndFlush(
            HTTP2Frame.FramePayload.headers(.init(headers: headers, endStream: ends)))
        return Stream(channel: stream, state: state)
    }

    /// The fields of a request.
    static func request(_ method: String, _ path: String, _ more: [(String, String)] = []) -> [(String, String)] {
        [(":method", method), (":scheme", "http"), (":path", path), (":authority", "a")] + more
    }

    private final class Collector: ChannelInboundHandler {
        typealias InboundIn = HTTP2Frame.FramePayload
        private let state: Mutex2<Response>

        init(_ state: Mutex2<Response>) { self.state = state }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            state.value.withLock { state in
                switch unwrapInboundIn(data) {
                case .headers(let block):
                    if state.status.isEmpty {
                        state.status = block.headers.first(name: ":status") ?? ""
                        for (name, value, _) in block.headers { state.fields[name] = value }
                    } else {
                        for (name, value, _) in block.headers { state.trailers[name] = value }
                    }
                    state.isComplete = state.isComplete || block.endStream
                case .data(let data):
                    if case .byteBuffer(let buffer) = data.data { state.body += Array(buffer.readableBytesView) }
                    state.isComplete = state.isComplete || data.endStream
                default: break
                }
            }
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }
}

/// A mutex that several may hold a reference to.
final class Mutex2<Value: Sendable>: Sendable {
    let value: Mutex<Value>
    init(_ value: Value) { self.value = Mutex(value) }
}
