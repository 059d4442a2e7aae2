internal import NIOCore
internal import NIOHPACK
internal import NIOHTTP2

/// An answer of the proxy's own to a request of HTTP/2.
enum HTTP2Answer {
    /// The frames: the last ends the stream. A gRPC client gets its status in place of HTTP's, as it reads no other.
    static func frames(_ answer: LocalAnswer, isGRPC: Bool, toHEAD: Bool) -> [HTTP2Frame.FramePayload] {
        if isGRPC {
            let headers = HPACKHeaders([
                (":status", "200"), ("content-type", "application/grpc"), ("grpc-status", "\(grpcStatus(answer))"),
                ("grpc-message", answer.text),
            ])
            return [.headers(.init(headers: headers, endStream: true))]
        }
        let body = "\(answer.text)\r\n"
        let headers = HPACKHeaders([
            (":status", "\(answer.status)"), ("content-length", "\(body.utf8.count)"), ("content-type", "text/plain"),
        ])
        if toHEAD { return [.headers(.init(headers: headers, endStream: true))] }
        return [
            .headers(.init(headers: headers)),
            .data(.init(data: .byteBuffer(ByteBuffer(string: body)), endStream: true)),
        ]
    }

    /// gRPC's status for HTTP's ("HTTP to gRPC status code mapping"): 403 is PERMISSION_DENIED.
    private static func grpcStatus(_ answer: LocalAnswer) -> Int {
        switch answer {
        case .denied: 7
        case .refused: 13
        case .timeout, .badResponse, .noServer: 14
        }
    }
}
