/// Scans the head of a response, like `RequestHeadScanner`. A scanner serves one head.
public struct ResponseHeadScanner: Sendable {
    /// What a call found.
    public enum Progress: Hashable, Sendable {
        /// The head goes on.
        case needMore
        /// The head is complete; `ResponseHead.count` bytes belong to it.
        case head(ResponseHead)
    }

    private enum State {
        case version, status, afterStatus, reason, lineEnd, fields
    }

    private let limits: ScanLimits
    private let isAnswerToHEAD: Bool
    private let offered: RequestHead.Upgrade
    private var state = State.version
    private var position = 0
    private var lines = FieldLineScanner(at: 0)
    private var head = ResponseHead()
    private var lengths = LengthFields()
    private var connection = ConnectionOptions()
    private var upgradesToWebSocket = false

    /// A scanner for one head of a response to a request that is known: HEAD has no bodies, and only an offer can be taken.
    public init(
        answering method: RequestHead.Method, offering upgrade: RequestHead.Upgrade = .none,
        limits: ScanLimits = ScanLimits()
    ) {
        self.limits = limits
        isAnswerToHEAD = method == .head
        offered = upgrade
    }

    /// Reads on. After a refusal the scanner must not be asked again.
    public mutating func scan(_ all: Span<UInt8>) throws(Refusal) -> Progress {
        let bytes = all.extracting(first: min(all.count, limits.head))
        let progress = try scan(limited: bytes)
        if progress == .needMore, bytes.count == limits.head { throw .headTooLong }
        return progress
    }

    private mutating func scan(limited bytes: Span<UInt8>) throws(Refusal) -> Progress {
        while position < bytes.count {
            let byte = bytes[position]
            switch state {
            case .version:
                if position < 8 {
                    guard HTTPVersion.isByte(byte, at: position) else { throw .version }
                } else {
                    guard byte == Byte.space else { throw .version }
                    head.minorVersion = bytes[7] == Byte.zero ? 0 : 1
                    state = .status
                }
                position += 1
            case .status:
                guard Byte.isDigit(byte) else { throw .status }
                head.status = head.status * 10 + Int(byte - Byte.zero)
                position += 1
                if position == 12 {
                    guard (100...599).contains(head.status) else { throw .status }
                    state = .afterStatus
                }
            case .afterStatus:
                // The space is due even before an empty reason (RFC 9112 4), but servers leave it out, and nothing hangs on it.
                guard byte == Byte.space || byte == Byte.carriageReturn else {
                    throw byte < 0x20 ? Byte.refusal(ofControl: byte) : .status
                }
                position += 1
                state = byte == Byte.space ? .reason : .lineEnd
            case .reason:
                if byte == Byte.carriageReturn {
                    state = .lineEnd
                } else {
                    guard Byte.isText(byte) else { throw Byte.refusal(ofControl: byte) }
                }
                position += 1
            case .lineEnd:
                guard byte == Byte.lineFeed else { throw .bareCarriageReturn }
                position += 1
                head.fields = position..<position
                lines = FieldLineScanner(at: position)
                state = .fields
            case .fields: if let complete = try scanFields(bytes) { return .head(complete) }
            }
        }
        return .needMore
    }

    private mutating func scanFields(_ bytes: Span<UInt8>) throws(Refusal) -> ResponseHead? {
        while true {
            let event = try lines.next(bytes)
            position = lines.position
            switch event {
            case .needMore: return nil
            case .field:
                guard lines.count <= limits.fields else { throw .tooManyFields }
                try take(bytes, lines.name, lines.value)
                head.fields = head.fields.lowerBound..<position
            case .end:
                try finish()
                return head
            }
        }
    }

    private mutating func take(_ bytes: Span<UInt8>, _ name: Range<Int>, _ value: Range<Int>) throws(Refusal) {
        switch try KnownField.of(bytes, name) {
        case .connection: try connection.add(bytes, value)
        case .contentLength:
            guard !lines.hasTabBehindValue(bytes) else { throw .contentLengthSyntax }
            try lengths.addContentLength(bytes, value, limits: limits)
        case .transferEncoding:
            guard !lines.hasTabBehindValue(bytes) else { throw .transferEncoding }
            try lengths.addTransferEncoding(bytes, value, minorVersion: head.minorVersion)
        case .upgrade: upgradesToWebSocket = bytes.isText("websocket", at: value)
        case .host, .expect, .headOnly, .other: break
        }
    }

    /// "The length of a message body is determined by one of the following (in order of precedence)" (RFC 9112 6.3).
    private mutating func finish() throws(Refusal) {
        head.count = position
        head.keepsConnection = connection.keepsConnection(minorVersion: head.minorVersion)
        if head.switchesProtocol {
            guard offered == .webSocket, upgradesToWebSocket, connection.upgrade, !lengths.announcesBody else {
                throw .unexpectedUpgrade
            }
        } else if isAnswerToHEAD || head.status == 304 {
            head.framing = .none
        } else if head.status < 200 || head.status == 204 {
            guard !lengths.announcesBody else { throw .unexpectedBody }
        } else if lengths.isChunked {
            head.framing = .chunked
        } else if let length = lengths.length {
            head.framing = length > 0 ? .length(length) : .none
        } else {
            head.framing = .untilClose
            head.keepsConnection = false
        }
    }
}
