internal import HTTPScan
internal import NIOCore
internal import NIOHTTP2
internal import ProxyRules

/// A client that speaks HTTP/2, and its connection to the server. Each stream is decided by itself; bodies are forwarded with the flow
/// control of both sides. Lives on the event loop of its connection.
final class HTTP2Session {
    private enum Server {
        case none
        case connecting(ServerAttempt)
        case connected(any Channel, NIOHTTP2Handler.StreamMultiplexer)
        /// It takes no more streams.
        case gone
    }

    let connection: ProxyConnection
    private var server = Server.none
    /// Streams that wait for the connection to the server.
    private var waiting: [HTTP2RequestStream] = []
    /// The streams that are open.
    private var streams: [ObjectIdentifier: HTTP2RequestStream] = [:]
    private var isEnding = false
    /// The windows of the client's streams, and of the server's.
    let clientGate: WindowGate
    private(set) var serverGate: WindowGate?
    /// What the server's connection ended by.
    private(set) var serverFault: HTTP2Fault?
    private var hasFaulted = false

    var shared: LoopState { connection.shared }

    init(_ connection: ProxyConnection) {
        self.connection = connection
        clientGate = WindowGate(toServer: false, connection.shared.limits, connection.shared.table)
    }

    /// Speaks HTTP/2 with the client from here on.
    func begin() throws {
        shared.counters.http2 += 1
        let bound = NIOLoopBound(self, eventLoop: shared.loop)
        let handler = NIOHTTP2Handler(
            mode: .server, eventLoop: shared.loop, connectionConfiguration: HTTP2Limits.client(shared.limits),
            streamConfiguration: HTTP2Limits.stream(shared.limits)
        ) { channel in
            channel.eventLoop.makeCompletedFuture {
                try channel.syncOptions?.setOption(.autoRead, value: true)
                try channel.pipeline.syncOperations.addHandler(HTTP2RequestStream(bound.value, channel))
            }
        }
        let client = connection.client
        try client.pipeline.syncOperations.addHandlers([
            clientGate, handler, HTTP2ConnectionEnd(self, isServer: false),
        ])
        try client.syncOptions?.setOption(.autoRead, value: true)
    }

    // MARK: Streams

    /// A stream of the client has begun. `false`: no more are taken.
    func streamBegan(_ stream: HTTP2RequestStream) -> Bool {
        streams[ObjectIdentifier(stream)] = stream
        clientGate.streamBegan()
        return !isEnding
    }

    /// A stream of the client is over.
    func streamEnded(_ stream: HTTP2RequestStream) {
        streams[ObjectIdentifier(stream)] = nil
        waiting.removeAll { $0 === stream }
        if streams.isEmpty, isEnding { close() }
    }

    /// Decides a request by the rules in force. One that is allowed while not both ends are known waits for the server; where that is
    /// connected there is nothing to wait for, and nothing is allowed.
    func decide(_ head: HTTP2Head) -> FlowRules.Answer {
        let rules = connection.currentRules()
        let isLost = isConnected && !isComplete
        return (isLost ? FlowRules(egress: nil, ingress: nil) : rules)
            .decide(head.bytes.span, head.head, limits: shared.limits.scan)
    }

    /// Whether both ends are known (`ProxiedFlow.isComplete`).
    var isComplete: Bool { connection.flow.isComplete }

    /// Whether there is a connection to the server.
    var isConnected: Bool {
        if case .connected = server { true } else { false }
    }

    /// Calls the stream's `connected` or `failed` once the server is connected or cannot be.
    func connect(for stream: HTTP2RequestStream) {
        switch server {
        case .none:
            waiting.append(stream)
            connect()
        case .connecting: waiting.append(stream)
        case .connected: stream.connected()
        case .gone: stream.failed()
        }
    }

    /// Opens a stream to the server, whose handler is made for `stream`.
    func openStream(for stream: HTTP2RequestStream) {
        guard case .connected(_, let multiplexer) = server else { return stream.failed() }
        serverGate?.streamBegan()
        let bound = NIOLoopBound(stream, eventLoop: shared.loop)
        let limits = shared.limits.scan
        multiplexer.createStreamChannel { channel in
            channel.eventLoop.makeCompletedFuture {
                try channel.syncOptions?.setOption(.autoRead, value: true)
                try channel.pipeline.syncOperations.addHandler(HTTP2ResponseStream(bound.value, limits: limits))
            }
        }
        .assumeIsolated().whenComplete { result in
            switch result {
            case .success(let channel): stream.opened(channel)
            case .failure: stream.failed()
            }
        }
    }

    private func connect() {
        let limits = shared.limits
        let gate = WindowGate(toServer: true, limits, shared.table)
        serverGate = gate
        let attempt = ServerAttempt(
            to: connection.flow, shared: shared, place: connection.place,
            handlers: { channel in
                let handler = NIOHTTP2Handler(
                    mode: .client, eventLoop: channel.eventLoop,
                    connectionConfiguration: HTTP2Limits.server(limits),
                    streamConfiguration: HTTP2Limits.stream(limits)
                ) { pushed in pushed.close() }
                try channel.pipeline.syncOperations.addHandlers([
                    gate, handler, HTTP2ConnectionEnd(self, isServer: true),
                ])
                try channel.syncOptions?.setOption(.autoRead, value: true)
            },
            done: { channel in
                if let channel { self.connected(channel) } else { self.notConnected() }
            })
        server = .connecting(attempt)
        attempt.begin()
    }

    private func connected(_ channel: any Channel) {
        guard connection.phase == .http2,
            let handler = try? channel.pipeline.syncOperations.handler(type: NIOHTTP2Handler.self),
            let multiplexer = try? handler.syncMultiplexer()
        else { return channel.close(promise: nil) }
        connection.lastActivity = .now()
        server = .connected(channel, multiplexer)
        guard connection.flow.isComplete || connection.completeFlow() else {
            shared.counters.unknownFlows += 1
            return fail()
        }
        let streams = waiting
        waiting = []
        for stream in streams { stream.connected() }
    }

    private func notConnected() {
        shared.counters.noServer += 1
        fail()
    }

    private func fail() {
        let streams = waiting
        closeServer()
        for stream in streams { stream.failed() }
        drain()
    }

    // MARK: The end

    /// A peer has sent a WINDOW_UPDATE frame.
    func granted(isServer: Bool) {
        guard let gate = isServer ? serverGate : clientGate, !gate.takesUpdate() else { return }
        faulted(.windowUpdates, isServer: isServer)
    }

    /// A peer has sent its settings.
    func settled(_ settings: HTTP2Settings, isServer: Bool) {
        (isServer ? serverGate : clientGate)?.settled(settings)
    }

    /// What a peer sends ends its connection: frames that are none, or a flood.
    func faulted(_ fault: HTTP2Fault, isServer: Bool) {
        if isServer {
            guard serverFault == nil else { return }
            serverFault = fault
            count(fault, isServer: true)
            if case .connected(let channel, _) = server { end(channel, fault) }
        } else {
            guard !hasFaulted else { return }
            hasFaulted = true
            count(fault, isServer: false)
            if let record = shared.lines?.record(of: fault) { connection.log(record, status: 0, since: .now()) }
            end(connection.client, fault)
        }
    }

    /// Counts what a server did, or a client.
    func count(_ fault: HTTP2Fault, isServer: Bool) {
        if isServer {
            shared.counters.serverFaults[fault, default: 0] += 1
        } else {
            shared.counters.http2Faults[fault, default: 0] += 1
        }
    }

    /// Closes a peer's connection and says why, where the codec has not.
    private func end(_ channel: any Channel, _ fault: HTTP2Fault) {
        if let code = fault.code {
            let frame = HTTP2Frame(
                streamID: .rootStream, payload: .goAway(lastStreamID: .maxID, errorCode: code, opaqueData: nil))
            channel.writeAndFlush(frame, promise: nil)
        }
        channel.close(promise: nil)
    }

    /// One of the connections is gone, or spoke something else than HTTP/2.
    func ended(isServer: Bool) {
        guard connection.phase == .http2 else { return }
        guard isServer else { return connection.abort() }
        // Its streams end by themselves; the client opens another connection for the next.
        server = .gone
        drain()
    }

    /// No further streams: those under way go on.
    func drain() {
        guard !isEnding, connection.phase == .http2 else { return }
        isEnding = true
        let frame = HTTP2Frame(
            streamID: .rootStream, payload: .goAway(lastStreamID: .maxID, errorCode: .noError, opaqueData: nil))
        connection.client.writeAndFlush(frame, promise: nil)
        if streams.isEmpty { close() }
    }

    /// Ends both connections, behind what was written.
    private func close() { connection.lingerHTTP2() }

    /// Called by the connection when it is closed.
    func closeServer() {
        let before = server
        server = .gone
        switch before {
        case .connecting(let attempt): attempt.cancel()
        case .connected(let channel, _): channel.close(promise: nil)
        case .none, .gone: break
        }
        waiting = []
    }

    /// Called each `ProxyLimits.tick`: whether something takes too long.
    func look(at now: NIODeadline) {
        let limits = shared.limits
        let idle = now - connection.lastActivity
        if streams.isEmpty, idle > limits.idleTimeout {
            shared.counters.timeouts += 1
            drain()
        } else if idle > limits.streamIdleTimeout {
            shared.counters.timeouts += 1
            connection.abort()
        } else {
            for stream in Array(streams.values) { stream.look(at: now) }
        }
    }
}
