/// The line before a chunk's data: its size and extensions (RFC 9112 7.1). Resumable at every byte.
struct ChunkLine {
    private enum State {
        case size, name, value, token, quoted, escaped, afterQuoted, lineFeed
    }

    private var state = State.size
    private var position = 0
    private var digits = 0
    private var partStart = 0
    /// The size in bytes, once the line is complete.
    private(set) var size: UInt64 = 0
    /// The bytes of extensions, from the first semicolon.
    private(set) var extensions = 0

    /// Reads on; the line's bytes with CRLF, `nil` while it is not complete.
    mutating func scan(
        _ bytes: Span<UInt8>, limits: ScanLimits, extensionsBefore: Int
    ) throws(Refusal) -> Int? {
        while position < bytes.count {
            let byte = bytes[position]
            if state == .lineFeed {
                guard byte == Byte.lineFeed else { throw .bareCarriageReturn }
                position += 1
                return position
            }
            if state == .size {
                try scanSize(byte, limits)
            } else {
                try scanExtension(byte)
                if state != .lineFeed {
                    extensions += 1
                    guard extensions <= limits.chunkExtensions, extensionsBefore + extensions <= limits.extensionsOfBody
                    else { throw .chunkExtensionTooLong }
                }
            }
            position += 1
        }
        return nil
    }

    private mutating func scanSize(_ byte: UInt8, _ limits: ScanLimits) throws(Refusal) {
        if let digit = Byte.hexadecimal(byte) {
            digits += 1
            guard digits <= 16 else { throw .chunkSize }
            size = size << 4 | UInt64(digit)
            return
        }
        guard digits > 0 else { throw byte == Byte.lineFeed ? .bareLineFeed : .chunkSize }
        switch byte {
        case Byte.carriageReturn: state = .lineFeed
        case Byte.semicolon:
            extensions = 1
            partStart = position + 1
            state = .name
        case Byte.lineFeed: throw .bareLineFeed
        default: throw .chunkSize
        }
        guard size <= limits.body else { throw .chunkTooLarge }
    }

    private mutating func scanExtension(_ byte: UInt8) throws(Refusal) {
        if byte == Byte.lineFeed { throw .bareLineFeed }
        switch state {
        case .name, .token:
            if ByteClass.token.contains(byte) { return }
            guard position > partStart else { throw .chunkExtension }
            switch byte {
            case Byte.equals where state == .name:
                state = .value
                partStart = position + 1
            default: try endPart(byte)
            }
        case .value:
            if byte == Byte.quote {
                state = .quoted
            } else {
                guard ByteClass.token.contains(byte) else { throw .chunkExtension }
                state = .token
            }
        case .quoted:
            if byte == Byte.quote {
                state = .afterQuoted
            } else if byte == Byte.backslash {
                state = .escaped
            } else {
                guard Byte.isText(byte) else { throw .chunkExtension }
            }
        case .escaped:
            guard Byte.isText(byte) else { throw .chunkExtension }
            state = .quoted
        case .afterQuoted: try endPart(byte)
        case .size, .lineFeed: break
        }
    }

    /// After a name or a value: another extension, or the line's end.
    private mutating func endPart(_ byte: UInt8) throws(Refusal) {
        switch byte {
        case Byte.semicolon:
            partStart = position + 1
            state = .name
        case Byte.carriageReturn: state = .lineFeed
        default: throw .chunkExtension
        }
    }
}
