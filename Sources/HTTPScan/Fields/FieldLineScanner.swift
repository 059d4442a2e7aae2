/// Reads field lines up to the empty line: of a head or of a trailer section. Resumable at every byte; the bytes of the whole
/// section so far are passed each time, and none is looked at twice but for the value of a line that has become complete.
struct FieldLineScanner {
    private enum State {
        case lineStart, name, beforeValue, value, lineFeed, endLineFeed
    }

    /// What a call found.
    enum Event {
        /// The bytes end before the next line does.
        case needMore
        /// A line: `name` and `value` say where.
        case field
        /// The empty line.
        case end
    }

    private var state = State.lineStart
    /// The offset of the next byte to look at; after `end` the first one behind the section.
    private(set) var position: Int
    private var nameStart = 0
    private var nameEnd = 0
    private var valueStart = 0
    private var valueEnd = 0
    /// The lines so far.
    private(set) var count = 0

    /// A section that begins at an offset of the bytes.
    init(at start: Int) { position = start }

    /// The name of the last line.
    var name: Range<Int> { nameStart..<nameEnd }
    /// The value of the last line, without the whitespace around it.
    var value: Range<Int> { valueStart..<valueEnd }
    /// Whether a tab stands behind the value: valid, but not for every reader of a length.
    func hasTabBehindValue(_ bytes: Span<UInt8>) -> Bool {
        for index in valueEnd..<position - 2 where bytes[index] == Byte.tab { return true }
        return false
    }

    /// Reads on, to the end of one line.
    mutating func next(_ bytes: Span<UInt8>) throws(Refusal) -> Event {
        var at = position
        defer { position = at }
        while at < bytes.count {
            let byte = bytes[at]
            switch state {
            case .lineStart:
                if byte == Byte.carriageReturn {
                    state = .endLineFeed
                } else if byte == Byte.space || byte == Byte.tab {
                    throw .obsoleteFold
                } else if ByteClass.token.contains(byte) {
                    nameStart = at
                    state = .name
                } else {
                    throw byte < 0x20 ? Byte.refusal(ofControl: byte) : .fieldNameCharacter
                }
                at += 1
            case .name:
                at = ByteClass.token.end(in: bytes, from: at)
                guard at < bytes.count else { return .needMore }
                guard bytes[at] == Byte.colon else { throw FieldLineScanner.refusal(inName: bytes[at]) }
                nameEnd = at
                at += 1
                state = .beforeValue
            case .beforeValue:
                if byte == Byte.space || byte == Byte.tab {
                    at += 1
                } else {
                    valueStart = at
                    state = .value
                }
            case .value:
                at = Byte.endOfText(in: bytes, from: at)
                guard at < bytes.count else { return .needMore }
                guard bytes[at] == Byte.carriageReturn else { throw Byte.refusal(ofControl: bytes[at]) }
                valueEnd = at
                while valueEnd > valueStart, bytes[valueEnd - 1] == Byte.space || bytes[valueEnd - 1] == Byte.tab {
                    valueEnd -= 1
                }
                at += 1
                state = .lineFeed
            case .lineFeed:
                guard byte == Byte.lineFeed else { throw .bareCarriageReturn }
                at += 1
                count += 1
                state = .lineStart
                return .field
            case .endLineFeed:
                guard byte == Byte.lineFeed else { throw .bareCarriageReturn }
                at += 1
                return .end
            }
        }
        return .needMore
    }

    private static func refusal(inName byte: UInt8) -> Refusal {
        switch byte {
        case Byte.space, Byte.tab: .spaceBeforeColon
        case Byte.carriageReturn: .colonMissing
        case 0..<0x20, 0x7f: Byte.refusal(ofControl: byte)
        default: .fieldNameCharacter
        }
    }
}
