/// Why bytes are refused as HTTP/1. Each is a rule of RFC 9110 or RFC 9112, or a stricter one where implementations are known to read
/// the same bytes differently: what two parsers may split in two ways is never forwarded. The raw value is the name in logs,
/// counters and tests.
public enum Refusal: String, Error, Hashable, CaseIterable, Sendable {
    // MARK: The request line

    /// An empty line before the request line. RFC 9112 2.2 lets servers skip it; not all do.
    case emptyLine = "empty-line"
    /// The method has a byte other than `A-Z 0-9 - _`, or is empty. Lower case is refused: servers differ in folding it.
    case methodCharacter = "method-character"
    /// The method is longer than `ScanLimits.method`.
    case methodTooLong = "method-too-long"
    /// `CONNECT`: what follows is no HTTP, so no rule could be asked about it.
    case connectMethod = "connect-method"
    /// More or fewer than one space between the parts of the first line, or a tab.
    case lineSpace = "line-space"
    /// The request target has a byte that must be escaped there: a control, a space, `"<>\^#` or one above 0x7E (in a query also
    /// raw `\^{}|` and a backquote are taken, as browsers send them).
    case targetCharacter = "target-character"
    /// The request target is longer than `ScanLimits.target`.
    case targetTooLong = "target-too-long"
    /// The request target is neither a path, nor an absolute `http` URI with authority and path, nor `*` of `OPTIONS`.
    case targetForm = "target-form"
    /// A `%` in the path that two hexadecimal digits do not follow, or that stands for a control character.
    case targetEscape = "target-escape"
    /// A `.` or `..` segment in the path, also escaped, behind an escaped separator, or with parameters. Clients resolve them
    /// (RFC 3986 5.2.4); servers that resolve them see another path than the rule was asked about.
    case dotSegment = "dot-segment"
    /// The authority of an absolute-form target is not the value of Host. RFC 9112 3.2.2 has a proxy replace Host by it; this one
    /// forwards heads as they are, so they must be equal (ignoring case).
    case authorityMismatch = "authority-mismatch"
    /// Not exactly `HTTP/1.1` or `HTTP/1.0`; also a request line without a version (HTTP/0.9).
    case version = "version"
    /// `PRI` that is not the connection preface of HTTP/2.
    case http2Preface = "http2-preface"

    // MARK: Lines and fields

    /// A line feed without carriage return. RFC 9112 2.2 lets recipients take it as a line's end; not all do.
    case bareLineFeed = "bare-line-feed"
    /// A carriage return without line feed.
    case bareCarriageReturn = "bare-carriage-return"
    /// A zero byte.
    case zeroByte = "zero-byte"
    /// Another control character.
    case controlCharacter = "control-character"
    /// A line that begins with a space or tab (RFC 9112 5.2), or one before the first field.
    case obsoleteFold = "obsolete-fold"
    /// Whitespace between a field's name and the colon (RFC 9112 5.1).
    case spaceBeforeColon = "space-before-colon"
    /// A field's name has a byte that is no token character, or is empty.
    case fieldNameCharacter = "field-name-character"
    /// A line of the head without a colon.
    case colonMissing = "colon-missing"
    /// A name that gateways turn into Content-Length or Transfer-Encoding: `content_length`, `transfer.encoding`.
    case disguisedField = "disguised-field"
    /// The head is longer than `ScanLimits.head`.
    case headTooLong = "head-too-long"
    /// The head has more fields than `ScanLimits.fields`.
    case tooManyFields = "too-many-fields"

    // MARK: Framing and connection

    /// Content-Length is no plain decimal number: signed, a list, hexadecimal, empty, with leading zeros, with a tab behind it.
    case contentLengthSyntax = "content-length-syntax"
    /// Content-Length twice, even with equal values.
    case contentLengthTwice = "content-length-twice"
    /// Content-Length above `ScanLimits.body`.
    case contentLengthTooLarge = "content-length-too-large"
    /// Transfer-Encoding other than exactly `chunked`, or twice, or with a tab behind it.
    case transferEncoding = "transfer-encoding"
    /// Transfer-Encoding in HTTP/1.0 (RFC 9112 6.1).
    case transferEncodingInHTTP10 = "transfer-encoding-in-http-1.0"
    /// Both Content-Length and Transfer-Encoding.
    case twoLengths = "content-length-and-transfer-encoding"
    /// A body where the method or the status has none: HEAD and TRACE; GET and DELETE in HTTP/1.0; 1xx and 204.
    case unexpectedBody = "unexpected-body"
    /// An HTTP/1.1 request without Host.
    case hostMissing = "host-missing"
    /// Host twice.
    case hostTwice = "host-twice"
    /// Host is no name of up to 255 bytes or address, with an optional port; also the authority of an absolute-form target.
    case hostSyntax = "host-syntax"
    /// Connection is no list of tokens.
    case connectionSyntax = "connection-syntax"
    /// Connection names a field of framing or routing, which the next hop would remove.
    case connectionNamesFraming = "connection-names-framing"
    /// Expect other than `100-continue`, without a body, twice, or in HTTP/1.0.
    case expectation = "expectation"
    /// Upgrade to something other than `websocket` or `h2c`, to several, twice, or in HTTP/1.0.
    case upgradeProtocol = "upgrade-protocol"
    /// Upgrade without `Connection: upgrade`, or to `websocket` with a body or another method than GET.
    case upgradeForm = "upgrade-form"

    // MARK: Chunks

    /// A chunk's size is not 1 to 16 hexadecimal digits.
    case chunkSize = "chunk-size"
    /// A chunk is larger than `ScanLimits.body`.
    case chunkTooLarge = "chunk-too-large"
    /// A chunk extension that is not `;name`, `;name=token` or `;name="text"` without whitespace.
    case chunkExtension = "chunk-extension"
    /// The extensions of a chunk are longer than `ScanLimits.chunkExtensions`, or those of a body than `ScanLimits.extensionsOfBody`.
    case chunkExtensionTooLong = "chunk-extension-too-long"
    /// A chunk's data is not followed by CRLF.
    case chunkEnd = "chunk-end"
    /// A trailer field that belongs into the head (RFC 9110 6.5.1): framing, routing, authentication, and what header rules of the flow name.
    case trailerField = "trailer-field"
    /// The trailers are longer than `ScanLimits.trailers`.
    case trailersTooLong = "trailers-too-long"

    // MARK: Responses

    /// The status is not three digits from 100 to 599.
    case status = "status"
    /// 101 to a request that asked for no upgrade, or for another protocol.
    case unexpectedUpgrade = "unexpected-upgrade"
}
