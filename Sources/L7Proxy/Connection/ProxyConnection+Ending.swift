internal import Glibc
internal import NIOCore
internal import NIOPosix

// How connections are read on, watched and ended.
extension ProxyConnection {
    /// Reads from each side whose bytes can be taken.
    func readOn() {
        switch phase {
        case .closed, .http2: return
        case .lingering: if !clientEnded { readClient() }
        case .dns:
            guard !isTurnDue else { return }
            // Each of its queries may have to be answered to it: not before it takes what it was sent.
            let canTake = client.isWritable && !isConnecting
            if canTake, server?.isWritable ?? true, !clientEnded { readClient() }
            if canTake, !serverEnded { readServer() }
        case .open:
            let canSend = !isConnecting && (server?.isWritable ?? true)
            // An answer of the proxy's own follows each request that is denied: no more of them than are taken.
            let mayAsk = client.isWritable || !requests.expectsHead
            if canSend, mayAsk, !clientEnded, pending.count < shared.limits.pipelined, !requests.isWaiting {
                readClient()
            }
            if client.isWritable, !isConnecting, !serverEnded { readServer() }
        }
    }

    private func readClient() {
        guard !clientReading else { return }
        clientReading = true
        client.read()
    }

    private func readServer() {
        guard !serverReading, let server else { return }
        serverReading = true
        server.read()
    }

    /// Ends the connection behind what was written to the client. It stays half open for a moment, since a reset would take the last
    /// answer away from a client that still sends.
    func linger() {
        guard phase == .open || phase == .dns else { return }
        phase = .lingering
        headSince = nil
        lastActivity = .now()
        requests.end()
        logUnanswered()
        fromClient = ByteBuffer()
        closeServer()
        let client = client
        client.writeAndFlush(ByteBuffer()).whenComplete { _ in
            client.close(mode: .output, promise: nil)
        }
        if clientEnded {
            close()
        } else {
            readOn()
        }
    }

    /// Ends both connections at once, with a reset: what was cut must not look complete.
    func abort() {
        guard phase != .closed else { return }
        ProxyConnection.reset(client)
        closeServer(isCut: responses.isTunnel)
        closed()
    }

    /// Closes the client behind what is written to it.
    func close() {
        guard phase != .closed else { return }
        closeServer()
        let client = client
        client.writeAndFlush(ByteBuffer()).whenComplete { _ in client.close(promise: nil) }
        // One that reads nothing more must not stay for ever.
        if client.isActive {
            client.eventLoop.scheduleTask(in: shared.limits.idleTimeout) {
                if client.isActive { ProxyConnection.reset(client) }
            }
        }
        closed()
    }

    /// The client's connection is gone.
    func clientGone() {
        guard phase != .closed else { return }
        closeServer(isCut: responses.isTunnel && !clientEnded && !serverEnded)
        closed()
    }

    /// The server's connection is gone.
    func serverGone() {
        guard server != nil else { return }
        server = nil
        // Of an end of the server's own behind that of the client in another protocol the channel says nothing.
        let isCut = !serverEnded && (serverFailed || !responses.isTunnel || !clientEnded)
        // What ends with its connection would look complete.
        if phase == .open, isCut, responses.isTunnel || responses.endsWithConnection { return abort() }
        // What the client would still send is for nobody.
        if phase == .open, responses.isTunnel { return close() }
        if phase == .open || phase == .dns, !serverEnded { serverInputEnded() }
    }

    func closeWhenBothEnded() {
        if clientEnded, serverEnded { close() }
    }

    private func closed() {
        phase = .closed
        http2?.closeServer()
        http2 = nil
        fromClient = ByteBuffer()
        fromServer = ByteBuffer()
        toServer = ByteBuffer()
        logUnanswered()
        shared.remove(self)
    }

    /// Closes the connection to the server. `isCut`: what it was sent must not look complete.
    private func closeServer(isCut: Bool = false) {
        attempt?.cancel()
        attempt = nil
        guard let channel = server else { return }
        server = nil
        // Nor must a request that was not forwarded to its end.
        if isCut || !requests.hasWholeRequest || requests.isCut {
            ProxyConnection.reset(channel)
        } else {
            channel.close(promise: nil)
        }
    }

    /// Closes with RST.
    static func reset(_ channel: any Channel) {
        if let options = channel as? any SocketOptionProvider {
            _ = options.setSoLinger(Glibc.linger(l_onoff: 1, l_linger: 0))
        }
        channel.close(promise: nil)
    }

    /// Called each second: whether something takes too long.
    func look(at now: NIODeadline) {
        let limits = shared.limits
        switch phase {
        case .closed: break
        case .http2: http2?.look(at: now)
        case .dns:
            if let headSince, now - headSince > limits.headTimeout {
                shared.counters.timeouts += 1
                linger()
            } else if now - lastActivity > limits.idleTimeout {
                shared.counters.timeouts += 1
                linger()
            }
        case .lingering:
            // A client that takes its last answer slowly is no worse than one that is idle.
            let hasAnswer = toClient.hasWaiting
            guard now - lastActivity > (hasAnswer ? limits.idleTimeout : limits.lingerTimeout) else { return }
            if hasAnswer { abort() } else { clientTooSlow() }
        case .open:
            if let headSince, now - headSince > limits.headTimeout {
                shared.counters.timeouts += 1
                timeOut()
            } else if isIdle {
                guard now - lastActivity > limits.idleTimeout else { return }
                shared.counters.timeouts += 1
                linger()
            } else if now - lastActivity > limits.streamIdleTimeout {
                shared.counters.timeouts += 1
                abort()
            }
        }
    }

    /// Whether no request is under way.
    private var isIdle: Bool { pending.isEmpty && requests.isBetweenRequests && !responses.isTunnel }

    private func clientTooSlow() {
        let client = client
        closed()
        client.close(promise: nil)
    }

    /// No further requests: the proxy is about to stop.
    func drain() {
        http2?.drain()
        if phase == .dns, dns.owed == 0 { return linger() }
        guard phase == .open, !responses.isTunnel else { return }
        if isIdle {
            linger()
        } else if let last = pending.indices.last {
            pending[last].isLast = true
        }
    }
}
