/// Finds the end of a body. Resumable at every byte: each call is given the bytes from the first one that no call has taken yet, and
/// says how many may be forwarded. Data is taken as it comes; the line of a chunk's size and the trailer section are taken when
/// they are complete, so that nothing of a refused one is forwarded.
public struct BodyScanner: Sendable {
    private enum State {
        case done
        case length(UInt64)
        case chunkLine
        case chunkData(UInt64)
        case chunkEnd
        case trailers(FieldLineScanner)
        case untilClose
    }

    private let limits: ScanLimits
    private let headerNames: [[UInt8]]
    private var state: State
    private var line = ChunkLine()
    private var extensions = 0
    /// Found behind bytes that could be taken; thrown by the next call.
    private var refused: Refusal?

    /// A scanner for the body of one message. `headerNames`: folded (`FoldedName`), of fields that no trailer may have.
    public init(_ framing: BodyFraming, limits: ScanLimits = ScanLimits(), headerNames: [[UInt8]] = []) {
        self.limits = limits
        self.headerNames = headerNames
        state =
            switch framing {
            case .none: .done
            case .length(let count): count > 0 ? .length(count) : .done
            case .chunked: .chunkLine
            case .untilClose: .untilClose
            }
    }

    /// Whether the body is complete. One that ends with the connection never is.
    public var isComplete: Bool {
        switch state {
        case .done: true
        case .length, .chunkLine, .chunkData, .chunkEnd, .trailers, .untilClose: false
        }
    }

    /// Whether the body ends with its connection.
    public var endsWithConnection: Bool {
        switch state {
        case .untilClose: true
        case .done, .length, .chunkLine, .chunkData, .chunkEnd, .trailers: false
        }
    }

    /// Takes what can be forwarded; how many bytes. 0 with `isComplete` false means: more bytes are needed. A refusal
    /// behind bytes that can be taken is thrown by the next call.
    public mutating func take(_ bytes: Span<UInt8>) throws(Refusal) -> Int {
        if let refused { throw refused }
        var taken = 0
        while taken < bytes.count {
            let count: Int
            do throws(Refusal) {
                count = try step(bytes.extracting(taken...))
            } catch {
                refused = error
                if taken > 0 { return taken }
                throw error
            }
            if count == 0 { break }
            taken += count
        }
        return taken
    }

    /// One piece: data, or a whole line. 0 when the line is not complete, and after the end.
    private mutating func step(_ bytes: Span<UInt8>) throws(Refusal) -> Int {
        switch state {
        case .done: return 0
        case .untilClose: return bytes.count
        case .length(let rest):
            let count = min(UInt64(bytes.count), rest)
            state = rest == count ? .done : .length(rest - count)
            return Int(count)
        case .chunkLine:
            guard let count = try line.scan(bytes, limits: limits, extensionsBefore: extensions) else { return 0 }
            extensions += line.extensions
            state = line.size > 0 ? .chunkData(line.size) : .trailers(FieldLineScanner(at: 0))
            line = ChunkLine()
            return count
        case .chunkData(let rest):
            let count = min(UInt64(bytes.count), rest)
            state = rest == count ? .chunkEnd : .chunkData(rest - count)
            return Int(count)
        case .chunkEnd:
            guard bytes[0] == Byte.carriageReturn else { throw .chunkEnd }
            guard bytes.count > 1 else { return 0 }
            guard bytes[1] == Byte.lineFeed else { throw .chunkEnd }
            state = .chunkLine
            return 2
        case .trailers(var lines):
            return try step(trailers: &lines, bytes)
        }
    }

    private mutating func step(trailers lines: inout FieldLineScanner, _ all: Span<UInt8>) throws(Refusal) -> Int {
        let bytes = all.extracting(first: min(all.count, limits.trailers))
        defer { if case .trailers = state { state = .trailers(lines) } }
        while true {
            switch try lines.next(bytes) {
            case .needMore:
                guard bytes.count < limits.trailers else { throw .trailersTooLong }
                return 0
            case .field:
                guard lines.count <= limits.fields else { throw .tooManyFields }
                switch try KnownField.of(bytes, lines.name) {
                case .other:
                    let name = lines.name
                    for other in headerNames where FoldedName.is(bytes, name, other) { throw .trailerField }
                case .host, .connection, .upgrade, .expect, .contentLength, .transferEncoding, .headOnly:
                    throw .trailerField
                }
            case .end:
                state = .done
                return lines.position
            }
        }
    }
}
