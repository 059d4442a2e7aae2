internal import HTTPScan

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

    /// Whether it has a field of a name, or one that gateways read as it: `X_User` for `X-User` (`FoldedName`).
    func hasField(readAs name: String) -> Bool {
        if HTTPRequest.isSame(name, "host") { return !host.isEmpty }
        return headers.contains { HTTPRequest.isRead($0.name, as: name) }
    }

    /// A field that gateways alone read as one of a name; `nil` without any. There is only one authority.
    package func disguise(of name: String) -> String? {
        if HTTPRequest.isSame(name, "host") { return nil }
        return headers.first { HTTPRequest.isRead($0.name, as: name) && !HTTPRequest.isSame($0.name, name) }?.name
    }

    /// The first option of Connection that names one of some fields, which are folded: the next proxy takes that field out.
    func connectionOption(naming names: [[UInt8]]) -> String? {
        for header in headers where HTTPRequest.isRead(header.name, as: "connection") {
            let value = Array(header.value.utf8)
            if let option = ConnectionNames.first(naming: names, in: value.span, value.indices) {
                return String(decoding: value[option], as: UTF8.self)
            }
        }
        return nil
    }

    /// The request with the other form that its path has (`NormalPath`); `nil` where it has none.
    package var inOtherForm: HTTPRequest? {
        let sent = Array(path.utf8)
        var normal: [UInt8] = []
        NormalPath.append(sent.span, sent.indices, to: &normal)
        guard normal != sent else { return nil }
        var other = self
        other.path = String(decoding: normal, as: UTF8.self)
        return other
    }

    /// Whether gateways read a field's name as another one.
    static func isRead(_ name: String, as other: String) -> Bool { folded(name) == folded(other) }

    /// A name as gateways read it.
    static func folded(_ name: String) -> [UInt8] { FoldedName.of(Array(name.utf8)) }

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
