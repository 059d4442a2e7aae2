/// A client of HTTP/2 that writes its frames by hand and sends what it was granted, no more.
final class WindowedClient {
    private let client: BlockingClient
    private var bytes: [UInt8] = []
    private var connection = 65_535
    private var streams: [UInt32: Int] = [:]
    /// Frames that came, but WINDOW_UPDATE.
    private(set) var frames: [(type: UInt8, stream: UInt32, payload: [UInt8])] = []

    /// `patience`: of a read, in milliseconds.
    init(_ proxy: ProxyFixture, patience: Int, settings: [UInt8] = []) throws {
        client = try proxy.client(patience: patience)
        client.send(RawFrames.preface + settings)
    }

    /// Begins a POST.
    func post(_ stream: UInt32) {
        client.send(RawFrames.post(stream))
        streams[stream] = 65_535
    }

    /// Sends bytes of a body as far as that is granted; how many.
    func send(_ count: Int, on stream: UInt32) -> Int {
        var sent = 0
        while sent < count {
            let next = min(count - sent, 16_000, connection, streams[stream] ?? 0)
            if next > 0 {
                client.send(RawFrames.frame(0, 0, stream, [UInt8](repeating: 1, count: next)))
                connection -= next
                streams[stream, default: 0] -= next
                sent += next
            } else if !take() {
                break
            }
        }
        return sent
    }

    /// Sends frames as they are.
    func send(_ frames: [UInt8]) { client.send(frames) }

    /// Takes what comes next; `false` when nothing does.
    func take() -> Bool {
        let more = client.readSome()
        bytes += more
        for frame in RawFrames.split(bytes) {
            bytes.removeFirst(9 + frame.payload.count)
            guard frame.type == 8 else {
                frames.append(frame)
                continue
            }
            let grant = frame.payload.reduce(0) { $0 << 8 | Int($1) }
            if frame.stream == 0 { connection += grant } else { streams[frame.stream]? += grant }
        }
        return !more.isEmpty
    }
}
