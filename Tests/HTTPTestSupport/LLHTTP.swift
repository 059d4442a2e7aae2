internal import CNIOLLHTTP

/// How llhttp (of Node.js; SwiftNIO carries it) splits a stream, with its strict defaults.
public struct LLHTTP {
    /// A message that llhttp found complete.
    public struct Message: Hashable, Sendable {
        /// A request's target.
        public var target = ""
        /// The number after `HTTP/1.`.
        public var minorVersion = 0
        /// The offset behind the message.
        public var end = 0
        /// Whether llhttp would keep the connection.
        public var keepsConnection = false
    }

    /// What llhttp made of a stream.
    public struct Result: Hashable, Sendable {
        /// The complete messages.
        public var messages: [Message] = []
        /// llhttp's words for why it stopped.
        public var failure: String?
    }

    private final class Context {
        var target: [UInt8] = []
        var skipsBody = false
    }

    /// Runs a stream through llhttp. `isEnded`: the connection ends behind it.
    public static func split(_ bytes: [UInt8], kind: ScannedStream.Kind, isEnded: Bool = false) -> Result {
        var settings = llhttp_settings_t()
        c_nio_llhttp_settings_init(&settings)
        settings.on_message_begin = { parser in
            LLHTTP.context(parser).target = []
            return 0
        }
        settings.on_url = { parser, start, count in
            LLHTTP.context(parser).target += UnsafeRawBufferPointer(start: start, count: count)
            return 0
        }
        settings.on_headers_complete = { LLHTTP.context($0).skipsBody ? 1 : 0 }
        settings.on_message_complete = { _ in CInt(HPE_PAUSED.rawValue) }

        let context = Context()
        var type = HTTP_REQUEST
        if case .responses(let method, _) = kind {
            type = HTTP_RESPONSE
            context.skipsBody = method == .head
        }
        var parser = llhttp_t()
        return withExtendedLifetime(context) {
            c_nio_llhttp_init(&parser, type, &settings)
            return withUnsafePointer(to: &settings) { settings in
                parser.settings = UnsafeMutableRawPointer(mutating: settings)
                parser.data = Unmanaged.passUnretained(context).toOpaque()
                return bytes.withUnsafeBytes { run(&parser, $0, context, isEnded: isEnded) }
            }
        }
    }

    private static func run(
        _ parser: inout llhttp_t, _ bytes: UnsafeRawBufferPointer, _ context: Context, isEnded: Bool
    ) -> Result {
        var result = Result()
        guard let start = bytes.baseAddress else { return result }
        var offset = 0
        while true {
            let code = c_nio_llhttp_execute_swift(&parser, start + offset, bytes.count - offset)
            if let stopped = c_nio_llhttp_get_error_pos(&parser) {
                offset = UnsafeRawPointer(stopped) - start
            } else {
                offset = bytes.count
            }
            switch code {
            case HPE_OK:
                if isEnded, c_nio_llhttp_finish(&parser) == HPE_PAUSED {
                    result.messages.append(message(&parser, bytes.count, context))
                }
                return result
            case HPE_PAUSED:
                result.messages.append(message(&parser, offset, context))
                c_nio_llhttp_resume(&parser)
            case HPE_PAUSED_UPGRADE:
                c_nio_llhttp_resume_after_upgrade(&parser)
            default:
                result.failure =
                    c_nio_llhttp_get_error_reason(&parser).map { String(cString: $0) } ?? "error \(code.rawValue)"
                return result
            }
        }
    }

    private static func message(_ parser: inout llhttp_t, _ end: Int, _ context: Context) -> Message {
        Message(
            target: String(decoding: context.target, as: UTF8.self), minorVersion: Int(parser.http_minor), end: end,
            keepsConnection: c_nio_llhttp_should_keep_alive(&parser) != 0)
    }

    private static func context(_ parser: UnsafeMutablePointer<llhttp_t>?) -> Context {
        guard let data = parser?.pointee.data else { return Context() }
        return Unmanaged<Context>.fromOpaque(data).takeUnretainedValue()
    }
}
