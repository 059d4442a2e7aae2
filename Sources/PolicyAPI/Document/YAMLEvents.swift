import CYaml

/// What an event of libyaml's parser is about: what begins, ends or is here.
enum YAMLEvent {
    case streamStart, streamEnd, documentStart, documentEnd, listStart, listEnd, mapStart, mapEnd
    /// A reference to an anchor.
    case alias
    case scalar
}

/// The events of one chunk of YAML, one at a time. What an event says stays in C memory, and is copied by who asks for it, until the
/// next one.
///
/// Used instead of Yams' composer, which recurses without a limit, hashes whole subtrees as keys and stops at the first
/// duplicate key.
struct YAMLEvents: ~Copyable {
    private let parser: UnsafeMutablePointer<yaml_parser_t>
    private let event: UnsafeMutablePointer<yaml_event_t>
    private let chunk: DocumentChunk
    private let input: UnsafeBufferPointer<UInt8>
    private let file: String

    /// Events of `input`, the bytes of `chunk`; both must outlive the value.
    init(_ chunk: DocumentChunk, input: UnsafeBufferPointer<UInt8>, file: String) {
        self.chunk = chunk
        self.input = input
        self.file = file
        parser = .allocate(capacity: 1)
        event = .allocate(capacity: 1)
        parser.initialize(to: yaml_parser_t())
        event.initialize(to: yaml_event_t())
        // Fails only when out of memory; then the first parse reports it.
        _ = yaml_parser_initialize(parser)
        yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING)
        yaml_parser_set_input_string(parser, input.baseAddress, input.count)
    }

    deinit {
        yaml_event_delete(event)
        yaml_parser_delete(parser)
        parser.deallocate()
        event.deallocate()
    }

    /// Goes on to the next event. There is none after `streamEnd` or a failure.
    mutating func next() throws(DocumentFailure) -> YAMLEvent {
        yaml_event_delete(event)
        guard yaml_parser_parse(parser, event) == 1 else { throw failure() }
        switch event.pointee.type {
        case YAML_STREAM_START_EVENT: return .streamStart
        case YAML_DOCUMENT_START_EVENT: return .documentStart
        case YAML_DOCUMENT_END_EVENT: return .documentEnd
        case YAML_SEQUENCE_START_EVENT: return .listStart
        case YAML_SEQUENCE_END_EVENT: return .listEnd
        case YAML_MAPPING_START_EVENT: return .mapStart
        case YAML_MAPPING_END_EVENT: return .mapEnd
        case YAML_ALIAS_EVENT: return .alias
        case YAML_SCALAR_EVENT: return .scalar
        // YAML_STREAM_END_EVENT, and YAML_NO_EVENT after it.
        default: return .streamEnd
        }
    }

    /// Where the event begins.
    var location: SourceLocation { location(event.pointee.start_mark) }

    /// The name after `&`, of an alias that after `*`.
    var anchor: String? {
        let data = event.pointee.data
        switch event.pointee.type {
        case YAML_ALIAS_EVENT: return YAMLEvents.text(data.alias.anchor)
        case YAML_SCALAR_EVENT: return YAMLEvents.text(data.scalar.anchor)
        case YAML_SEQUENCE_START_EVENT: return YAMLEvents.text(data.sequence_start.anchor)
        case YAML_MAPPING_START_EVENT: return YAMLEvents.text(data.mapping_start.anchor)
        default: return nil
        }
    }

    /// An explicit tag.
    var tag: String? {
        let data = event.pointee.data
        switch event.pointee.type {
        case YAML_SCALAR_EVENT: return YAMLEvents.text(data.scalar.tag)
        case YAML_SEQUENCE_START_EVENT: return YAMLEvents.text(data.sequence_start.tag)
        case YAML_MAPPING_START_EVENT: return YAMLEvents.text(data.mapping_start.tag)
        default: return nil
        }
    }

    /// The characters of a scalar; empty for other events.
    var text: String {
        guard event.pointee.type == YAML_SCALAR_EVENT else { return "" }
        let data = event.pointee.data.scalar
        return String(decoding: UnsafeBufferPointer(start: data.value, count: data.length), as: UTF8.self)
    }

    /// Whether a scalar is plain: not quoted, no block, no tag.
    var isPlain: Bool {
        guard event.pointee.type == YAML_SCALAR_EVENT else { return false }
        let data = event.pointee.data.scalar
        return data.plain_implicit != 0 && data.style == YAML_PLAIN_SCALAR_STYLE
    }

    private static func text(_ bytes: UnsafeMutablePointer<UInt8>?) -> String? { bytes.map { String(cString: $0) } }

    private func location(_ mark: yaml_mark_t) -> SourceLocation {
        SourceLocation(
            file: file, line: chunk.firstLine + Int(mark.line),
            column: Int(mark.column) + (mark.line == 0 ? chunk.firstColumn : 1))
    }

    private func failure() -> DocumentFailure {
        let problem = parser.pointee.problem.map { String(cString: $0) } ?? "cannot be read"
        let context = parser.pointee.context.map { " " + String(cString: $0) } ?? ""
        let isReaderError = parser.pointee.error == YAML_READER_ERROR
        let place =
            isReaderError ? location(offset: parser.pointee.problem_offset) : location(parser.pointee.problem_mark)
        let hint =
            if isReaderError {
                "save the file as UTF-8 text without control characters"
            } else if problem.contains("cannot start any token") {
                "indent with spaces, not tabs, and quote values that begin with a special character"
            } else if problem.contains("nesting") {
                "flatten the document"
            } else {
                "check indentation, colons and quotes here and in the lines above"
            }
        return DocumentFailure(
            id: problem.contains("nesting") ? .limit : .syntax, location: place,
            message: "invalid YAML: \(problem)\(context)", hint: hint)
    }

    private func location(offset: Int) -> SourceLocation {
        var line = chunk.firstLine
        var column = chunk.firstColumn
        for byte in input.prefix(offset) {
            if byte == UInt8(ascii: "\n") {
                line += 1
                column = 1
            } else if byte & 0xc0 != 0x80 {
                column += 1
            }
        }
        return SourceLocation(file: file, line: line, column: column)
    }
}
