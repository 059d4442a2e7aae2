/// The parts of an HTTP request that policies see. All text is UTF-8; the caller must refuse a request line or header that is not.
public struct HTTPRequest: Hashable, Sendable {
    /// One header field.
    public struct Header: Hashable, Sendable {
        /// The name, in any case.
        public var name: String
        /// The value.
        public var value: String

        /// A field.
        public init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    /// The method.
    public var method: String
    /// The `:path`: with the query string.
    public var path: String
    /// The `:authority`, in HTTP/1 the Host header: with port if the client sends it.
    public var host: String
    /// The other header fields, in order; a name may occur several times.
    public var headers: [Header]

    /// A request.
    public init(method: String = "GET", path: String = "/", host: String = "", headers: [Header] = []) {
        self.method = method
        self.path = path
        self.host = host
        self.headers = headers
    }

    /// The value of a header, by case-insensitive name; `nil` when there is none. "Several fields of one name are one field with
    /// a comma between the values" (RFC 9110, 5.3). `Host` is the authority.
    public func value(ofHeader name: String) -> String? {
        if HTTPRequest.isSame(name, "host") { return host.isEmpty ? nil : host }
        let values = headers.filter { HTTPRequest.isSame($0.name, name) }.map(\.value)
        return values.isEmpty ? nil : values.joined(separator: ",")
    }

    /// Whether two header names are equal, ignoring the case of ASCII letters.
    static func isSame(_ left: String, _ right: String) -> Bool {
        left.utf8.count == right.utf8.count && zip(left.utf8, right.utf8).allSatisfy { lower($0) == lower($1) }
    }

    private static func lower(_ byte: UInt8) -> UInt8 {
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte
    }
}

extension HTTPRequest: CustomStringConvertible {
    /// `GET /cart?id=1 of shop.example.com`.
    public var description: String { "\(method) \(path)" + (host.isEmpty ? "" : " of \(host)") }
}
