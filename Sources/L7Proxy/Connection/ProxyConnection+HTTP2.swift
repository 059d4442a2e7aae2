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
}
