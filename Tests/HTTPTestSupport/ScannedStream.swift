public import HTTPScan

/// Runs a stream of bytes through the scanners the way the proxy does: what no scanner took stays in a buffer, and each piece is
/// appended to it.
public struct ScannedStream {
    /// What kind of messages the stream has.
    public enum Kind: Hashable, Sendable {
        /// Requests.
        case requests
        /// Responses to requests of this method that offer this.
        case responses(RequestHead.Method, RequestHead.Upgrade)
    }

    private enum State {
        case requestHead(RequestHeadScanner)
        case responseHead(ResponseHeadScanner)
        case body(BodyScanner, ScannedMessage)
        case ended
    }

    private let kind: Kind
    private let limits: ScanLimits
    private var state: State
    private var buffer: [UInt8] = []
    private var offset = 0
    private var events: [ScanEvent] = []

    /// The events of a stream that arrives in pieces which end at these offsets.
    public static func events(
        _ bytes: [UInt8], kind: Kind = .requests, splitAt ends: [Int] = [], limits: ScanLimits = ScanLimits()
    ) -> [ScanEvent] {
        var stream = ScannedStream(kind, limits)
        var from = 0
        for end in ends + [bytes.count] {
            stream.append(bytes[from..<end])
            from = end
        }
        return stream.finish()
    }

    private init(_ kind: Kind, _ limits: ScanLimits) {
        self.kind = kind
        self.limits = limits
        state = ScannedStream.head(kind, limits)
    }

    private static func head(_ kind: Kind, _ limits: ScanLimits) -> State {
        switch kind {
        case .requests: .requestHead(RequestHeadScanner(limits: limits))
        case .responses(let method, let upgrade):
            .responseHead(ResponseHeadScanner(answering: method, offering: upgrade, limits: limits))
        }
    }

    private mutating func append(_ piece: ArraySlice<UInt8>) {
        buffer += piece
        while step() {}
    }

    /// One step; whether there may be another.
    private mutating func step() -> Bool {
        do throws(Refusal) {
            switch state {
            case .ended: return false
            case .requestHead(var scanner):
                guard !buffer.isEmpty else { return false }
                let progress = try scanner.scan(buffer.span)
                switch progress {
                case .needMore:
                    state = .requestHead(scanner)
                    return false
                case .http2:
                    events.append(.http2)
                    state = .ended
                    return false
                case .head(let head): began(message(head), head.framing, head.count)
                }
                return true
            case .responseHead(var scanner):
                guard !buffer.isEmpty else { return false }
                let progress = try scanner.scan(buffer.span)
                switch progress {
                case .needMore:
                    state = .responseHead(scanner)
                    return false
                case .head(let head): began(message(head), head.framing, head.count)
                }
                return true
            case .body(var scanner, var message):
                do throws(Refusal) {
                    let count = try scanner.take(buffer.span)
                    consume(count)
                    message.end += count
                    state = .body(scanner, message)
                    guard scanner.isComplete else { return count > 0 }
                } catch {
                    events.append(.refusedInBody(message, error))
                    state = .ended
                    return false
                }
                events.append(.message(message))
                state = message.isLast ? .ended : ScannedStream.head(kind, limits)
                return true
            }
        } catch {
            events.append(.refused(error))
            state = .ended
            return false
        }
    }

    private mutating func began(_ message: ScannedMessage, _ framing: BodyFraming, _ count: Int) {
        var message = message
        message.from = offset
        consume(count)
        (message.body, message.end) = (offset, offset)
        state = .body(BodyScanner(framing, limits: limits), message)
    }

    private mutating func consume(_ count: Int) {
        buffer.removeFirst(count)
        offset += count
    }

    private func text(_ range: Range<Int>) -> String { String(decoding: buffer[range], as: UTF8.self) }

    private func message(_ head: RequestHead) -> ScannedMessage {
        let path = text(head.path)
        let shown = path.utf8.count > 64 ? String(path.prefix(5)) : path
        var result = ScannedMessage(start: "\(text(head.method)) \(shown) host=\(text(head.host))")
        result.method = head.method
        result.target = text(head.target)
        result.minorVersion = head.minorVersion
        if head.minorVersion == 0 { result.remarks.append("1.0") }
        if !head.keepsConnection { result.remarks.append("close") }
        if head.expectsContinue { result.remarks.append("continue") }
        if head.pathHasOtherForms { result.remarks.append("other-forms") }
        switch head.upgrade {
        case .none: break
        case .http2: result.remarks.append("upgrade=h2c")
        case .webSocket: result.remarks.append("upgrade=websocket")
        }
        result.isLast = !head.keepsConnection || head.upgrade == .webSocket
        return result
    }

    private func message(_ head: ResponseHead) -> ScannedMessage {
        var result = ScannedMessage(start: "\(head.status)")
        result.minorVersion = head.minorVersion
        if head.minorVersion == 0 { result.remarks.append("1.0") }
        if !head.keepsConnection { result.remarks.append("close") }
        result.isLast = !head.keepsConnection || head.switchesProtocol
        result.endsWithConnection = head.framing == .untilClose
        return result
    }

    private mutating func finish() -> [ScanEvent] {
        switch state {
        case .ended: break
        case .requestHead, .responseHead: if !buffer.isEmpty { events.append(.moreHead) }
        case .body(let scanner, let message):
            events.append(scanner.endsWithConnection ? .message(message) : .moreBody(message))
        }
        return events
    }
}
