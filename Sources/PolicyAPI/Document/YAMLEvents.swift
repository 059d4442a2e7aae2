import CYaml

/// One event of libyaml's parser, copied out of C memory.
struct YAMLEvent {
    /// What begins, ends or is here.
    enum Kind {
        case streamStart, streamEnd, documentStart, documentEnd, listStart, listEnd, mapStart, mapEnd
        /// A reference to an anchor.
        case alias(String)
        /// A scalar: its characters, and whether it is plain (not quoted, no block, no tag).
        case scalar(String, isPlain: Bool)
    }

    let kind: Kind
    /// The name after `&`.
    let anchor: String?
    /// An explicit tag.
    let tag: String?
    let location: SourceLocation
}

/// The events of one chunk of YAML, one at a time.
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
        yaml_parser_delete(parser)
        parser.deallocate()
        event.deallocate()
    }

    /// The next event. There is none after `streamEnd` or a failure.
    mutating func next() throws(DocumentFailure) -> YAMLEvent {
        guard yaml_parser_parse(parser, event) == 1 else { throw failure() }
        defer { yaml_event_delete(event) }
        let mark = event.pointee.start_mark
        let place = location(mark)
        func make(_ kind: YAMLEvent.Kind, anchor: String? = nil, tag: String? = nil) -> YAMLEvent {
            YAMLEvent(kind: kind, anchor: anchor, tag: tag, location: place)
        }
        switch event.pointee.type {
        case YAML_STREAM_START_EVENT: return make(.streamStart)
        case YAML_DOCUMENT_START_EVENT: return make(.documentStart)
        case YAML_DOCUMENT_END_EVENT: return make(.documentEnd)
        case YAML_SEQUENCE_END_EVENT: return make(.listEnd)
        case YAML_MAPPING_END_EVENT: return make(.mapEnd)
        case YAML_ALIAS_EVENT:
            return make(.alias(YAMLEvents.text(event.pointee.data.alias.anchor) ?? ""))
        case YAML_SEQUENCE_START_EVENT:
            let data = event.pointee.data.sequence_start
            return make(.listStart, anchor: YAMLEvents.text(data.anchor), tag: YAMLEvents.text(data.tag))
        case YAML_MAPPING_START_EVENT:
            let data = event.pointee.data.mapping_start
            return make(.mapStart, anchor: YAMLEvents.text(data.anchor), tag: YAMLEvents.text(data.tag))
        case YAML_SCALAR_EVENT:
            let data = event.pointee.data.scalar
            let text = String(decoding: UnsafeBufferPointer(start: data.value, count: data.length), as: UTF8.self)
            return make(
                .scalar(text, isPlain: data.plain_implicit != 0 && data.style == YAML_PLAIN_SCALAR_STYLE),
                anchor: YAMLEvents.text(data.anchor), tag: YAMLEvents.text(data.tag))
        default:
            // YAML_STREAM_END_EVENT, and YAML_NO_EVENT after it.
            return make(.streamEnd)
        }
    }

    private static func text(_ bytes: UnsafeMutablePointer<UInt8>?) -> String? {
        guard let bytes else { return nil }
        var count = 0
        while bytes[count] != 0 { count += 1 }
        return String(decoding: UnsafeBufferPointer(start: bytes, count: count), as: UTF8.self)
    }

    private func location(_ mark: yaml_mark_t) -> SourceLocation {
        SourceLocation(file: file, line: chunk.firstLine + Int(mark.line), column: Int(mark.column) + 1)
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
        return DocumentFailure(id: .syntax, location: place, message: "invalid YAML: \(problem)\(context)", hint: hint)
    }

    private func location(offset: Int) -> SourceLocation {
        var line = chunk.firstLine
        var column = 1
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
