internal import NIOCore

// The way from the first bytes of HTTP/2 to a session.
extension ProxyConnection {
    /// The client's first bytes are the preface of HTTP/2.
    func beginHTTP2() {
        let session = HTTP2Session(self)
        let bytes = fromClient
        fromClient = ByteBuffer()
        requests.end()
        phase = .http2
        http2 = session
        isHTTP2 = true
        do {
            try session.begin()
        } catch {
            return abort()
        }
        client.pipeline.fireChannelRead(bytes)
        client.pipeline.fireChannelReadComplete()
    }

    /// Ends the connection behind what was written to the client, as `linger` does that of HTTP/1.
    func lingerHTTP2() {
        guard phase == .http2, let http2 else { return }
        phase = .lingering
        lastActivity = .now()
        http2.closeServer()
        let client = client
        http2.clientGate.whenWritten { client.close(mode: .output, promise: nil) }
    }
}
