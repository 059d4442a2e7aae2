/// Scans the head of a request: an automaton over its bytes, resumable at every one. Each call is given the bytes of the head so
/// far, from its first byte on; none is looked at twice but those of a line that has become complete. The outcome does not depend
/// on how the bytes are split. A scanner serves one head.
public struct RequestHeadScanner: Sendable {
    /// What a call found.
    public enum Progress: Hashable, Sendable {
        /// The head goes on.
        case needMore
        /// The head is complete; `RequestHead.count` bytes belong to it.
        case head(RequestHead)
        /// The 24 bytes of the connection preface of HTTP/2 (RFC 9113 3.4).
        case http2
    }

    private enum State {
        case start, method, target, version, lineEnd, fields, preface
    }

    private let limits: ScanLimits
    private var state = State.start
    private var position = 0
    private var lines = FieldLineScanner(at: 0)
    private var head = RequestHead()
    private var lengths = LengthFields()
    private var connection = ConnectionOptions()
    private var hasHost = false
    private var hasExpect = false
    private var hasUpgrade = false
    /// The authority of an absolute-form target.
    private var authority: Range<Int>?

    /// A scanner for one head.
    public init(limits: ScanLimits = ScanLimits()) { self.limits = limits }

    /// Whether no byte of the head was seen.
    public var isAtStart: Bool { state == .start && position == 0 }

    /// Reads on. After a refusal the scanner must not be asked again.
    public mutating func scan(_ all: Span<UInt8>) throws(Refusal) -> Progress {
        // The part beyond the limit is not looked at, so that the outcome is the same however much arrived at once.
        let bytes = all.extracting(first: min(all.count, limits.head))
        let progress = try scan(limited: bytes)
        if progress == .needMore, bytes.count == limits.head { throw .headTooLong }
        return progress
    }

    private mutating func scan(limited bytes: Span<UInt8>) throws(Refusal) -> Progress {
        while position < bytes.count {
            switch state {
            case .start:
                guard bytes[0] != Byte.carriageReturn, bytes[0] != Byte.lineFeed else { throw .emptyLine }
                state = .method
            case .method: try scanMethod(bytes)
            case .target: try scanTarget(bytes)
            case .version: try scanVersion(bytes)
            case .lineEnd: try scanLineEnd(bytes)
            case .preface: return try scanPreface(bytes)
            case .fields: if let complete = try scanFields(bytes) { return .head(complete) }
            }
        }
        return .needMore
    }

    private mutating func scanMethod(_ bytes: Span<UInt8>) throws(Refusal) {
        while position < bytes.count {
            let byte = bytes[position]
            if byte == Byte.space {
                guard position > 0 else { throw .methodCharacter }
                head.method = 0..<position
                position += 1
                if bytes.isExactly("PRI", at: head.method) {
                    state = .preface
                    return
                }
                guard !bytes.isExactly("CONNECT", at: head.method) else { throw .connectMethod }
                head.knownMethod = RequestHead.Method(bytes, head.method)
                state = .target
                return
            }
            guard ByteClass.method.contains(byte) else { throw .methodCharacter }
            guard position < limits.method else { throw .methodTooLong }
            position += 1
        }
    }

    private mutating func scanTarget(_ bytes: Span<UInt8>) throws(Refusal) {
        let start = head.method.upperBound + 1
        while position < bytes.count {
            let byte = bytes[position]
            if byte == Byte.space {
                guard position > start else { throw .lineSpace }
                head.target = start..<position
                position += 1
                let target = try RequestTarget(bytes, head.target, method: head.knownMethod)
                authority = target.authority
                head.path = target.path
                head.pathHasOtherForms = target.hasOtherForms
                state = .version
                return
            }
            guard byte > Byte.space, byte < 0x7f else {
                // A line that ends here has no version: HTTP/0.9.
                throw byte == Byte.carriageReturn
                    ? .version
                    : byte == Byte.tab
                        ? .lineSpace : byte < Byte.space ? Byte.refusal(ofControl: byte) : .targetCharacter
            }
            guard position - start < limits.target else { throw .targetTooLong }
            position += 1
        }
    }

    private mutating func scanVersion(_ bytes: Span<UInt8>) throws(Refusal) {
        let start = head.target.upperBound + 1
        while position < bytes.count {
            let byte = bytes[position]
            let index = position - start
            if index == 8 {
                if byte == Byte.carriageReturn {
                    head.minorVersion = bytes[position - 1] == Byte.zero ? 0 : 1
                    position += 1
                    state = .lineEnd
                    return
                }
                throw byte == Byte.lineFeed
                    ? .bareLineFeed : byte == Byte.space || byte == Byte.tab ? .lineSpace : .version
            }
            guard HTTPVersion.isByte(byte, at: index) else {
                throw index == 0 && (byte == Byte.space || byte == Byte.tab) ? .lineSpace : .version
            }
            position += 1
        }
    }

    private mutating func scanLineEnd(_ bytes: Span<UInt8>) throws(Refusal) {
        guard bytes[position] == Byte.lineFeed else { throw .bareCarriageReturn }
        position += 1
        head.fields = position..<position
        lines = FieldLineScanner(at: position)
        state = .fields
    }

    /// `PRI * HTTP/2.0`, two empty lines around `SM`.
    private mutating func scanPreface(_ bytes: Span<UInt8>) throws(Refusal) -> Progress {
        let preface: StaticString = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
        let isSame = preface.withUTF8Buffer { text in
            while position < bytes.count, position < text.count {
                guard bytes[position] == text[position] else { return false }
                position += 1
            }
            return true
        }
        guard isSame else { throw .http2Preface }
        return position == preface.utf8CodeUnitCount ? .http2 : .needMore
    }

    private mutating func scanFields(_ bytes: Span<UInt8>) throws(Refusal) -> RequestHead? {
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
                try finish(bytes)
                return head
            }
        }
    }

    private mutating func take(_ bytes: Span<UInt8>, _ name: Range<Int>, _ value: Range<Int>) throws(Refusal) {
        switch try KnownField.of(bytes, name) {
        case .host:
            guard !hasHost else { throw .hostTwice }
            guard HostText.isValid(bytes, value) else { throw .hostSyntax }
            hasHost = true
            head.host = value
        case .connection: try connection.add(bytes, value)
        case .contentLength:
            guard !lines.hasTabBehindValue(bytes) else { throw .contentLengthSyntax }
            try lengths.addContentLength(bytes, value, limits: limits)
        case .transferEncoding:
            guard !lines.hasTabBehindValue(bytes) else { throw .transferEncoding }
            try lengths.addTransferEncoding(bytes, value, minorVersion: head.minorVersion)
        case .expect:
            guard !hasExpect, head.minorVersion > 0, bytes.isText("100-continue", at: value) else { throw .expectation }
            hasExpect = true
        case .upgrade:
            guard !hasUpgrade, head.minorVersion > 0 else { throw .upgradeProtocol }
            hasUpgrade = true
            if bytes.isText("websocket", at: value) {
                head.upgrade = .webSocket
            } else if bytes.isText("h2c", at: value) {
                head.upgrade = .http2
            } else {
                throw .upgradeProtocol
            }
        case .headOnly, .other: break
        }
    }

    /// What only the whole head says.
    private mutating func finish(_ bytes: Span<UInt8>) throws(Refusal) {
        head.count = position
        head.fieldCount = lines.count
        guard hasHost || head.minorVersion == 0 else { throw .hostMissing }
        if let authority, !bytes.areSameText(authority, head.host) { throw .authorityMismatch }
        head.framing =
            if lengths.isChunked { .chunked } else if let length = lengths.length, length > 0 { .length(length) } else {
                .none
            }
        if lengths.announcesBody {
            switch head.knownMethod {
            case .head, .trace: throw .unexpectedBody
            case .get, .delete: guard head.minorVersion > 0 else { throw .unexpectedBody }
            case .post, .put, .options, .patch, .other: break
            }
        }
        guard !hasExpect || lengths.announcesBody else { throw .expectation }
        head.expectsContinue = hasExpect
        switch head.upgrade {
        case .none: break
        case .webSocket:
            guard connection.upgrade, head.knownMethod == .get, !lengths.announcesBody else { throw .upgradeForm }
        case .http2: guard connection.upgrade else { throw .upgradeForm }
        }
        head.keepsConnection = connection.keepsConnection(minorVersion: head.minorVersion)
    }
}

extension RequestHead.Method {
    init(_ bytes: Span<UInt8>, _ range: Range<Int>) {
        switch range.count {
        case 3: self = bytes.isExactly("GET", at: range) ? .get : bytes.isExactly("PUT", at: range) ? .put : .other
        case 4: self = bytes.isExactly("POST", at: range) ? .post : bytes.isExactly("HEAD", at: range) ? .head : .other
        case 5:
            self = bytes.isExactly("PATCH", at: range) ? .patch : bytes.isExactly("TRACE", at: range) ? .trace : .other
        case 6: self = bytes.isExactly("DELETE", at: range) ? .delete : .other
        case 7: self = bytes.isExactly("OPTIONS", at: range) ? .options : .other
        default: self = .other
        }
    }
}
