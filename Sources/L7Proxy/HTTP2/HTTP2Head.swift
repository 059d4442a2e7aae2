internal import HTTPScan
internal import NIOHPACK

/// The head of a request of HTTP/2, written as one of HTTP/1: so the same scanner judges it, and rules see what they see there.
struct HTTP2Head {
    /// As it came.
    let headers: HPACKHeaders
    /// As HTTP/1 writes it.
    let bytes: [UInt8]
    /// What the scanner made of `bytes`.
    let head: RequestHead
    /// Whether the request is gRPC's, so that an answer must be.
    private(set) var isGRPC = false
    private var scheme = ""

    /// - Throws: what is wrong with it. Also what HTTP/2 may carry and HTTP/1 cannot: control characters, fields of a connection.
    init(_ headers: HPACKHeaders, limits: ScanLimits) throws(Refusal) {
        self.headers = headers
        var pseudo = Pseudo()
        var fields: [UInt8] = []
        var cookies: [String] = []
        for (name, value, _) in headers {
            guard !name.utf8.isEmpty else { throw .fieldNameCharacter }
            if name.utf8.first == UInt8(ascii: ":") {
                try pseudo.take(name, value)
                continue
            }
            try HTTP2Head.check(name, value)
            switch name {
            case "connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade":
                throw .connectionNamesFraming
            case "te" where value != "trailers": throw .connectionNamesFraming
            case "host":
                guard pseudo.host == nil else { throw .hostTwice }
                pseudo.host = value
                continue
            case "cookie":
                cookies.append(value)
                continue
            // The scanner asks for a body's length, which HTTP/2 need not have.
            case "expect":
                guard value == "100-continue" else { throw .expectation }
                continue
            case "content-type": isGRPC = HTTP2Head.isGRPC(value)
            default: break
            }
            HTTP2Head.add(name, value, &fields)
        }
        // RFC 9113 8.2.3: crumbs are one field.
        if !cookies.isEmpty { HTTP2Head.add("cookie", cookies.joined(separator: "; "), &fields) }
        scheme = pseudo.scheme
        let text = try pseudo.line() + fields + [0x0d, 0x0a]
        var scanner = RequestHeadScanner(limits: limits)
        let progress = try scanner.scan(text.span)
        guard case .head(let places) = progress, places.count == text.count else { throw .lineSpace }
        bytes = text
        head = places
    }

    /// The fields of a head that header actions have changed; `nil` when HTTP/2 cannot carry them.
    func headers(of changed: [UInt8], limits: ScanLimits) -> HPACKHeaders? {
        var scanner = RequestHeadScanner(limits: limits)
        guard case .head(let places)? = try? scanner.scan(changed.span) else { return nil }
        func text(_ range: Range<Int>) -> String { String(decoding: changed[range], as: UTF8.self) }
        var result = HPACKHeaders([
            (":method", text(places.method)), (":scheme", scheme), (":path", text(places.path)),
            (":authority", text(places.host)),
        ])
        // RFC 7541 6.2.3: what its sender keeps out of the tables for good stays out of those of the server's connection; by names, as
        // values may be others now.
        var indexings: [String: HPACKIndexing] = [:]
        for (name, _, indexing) in headers where indexing != .indexable && indexings[name] != .neverIndexed {
            indexings[name] = indexing
        }
        var cursor = FieldCursor(places.fields)
        while let field = cursor.next(changed.span) {
            let name = text(field.name).lowercased()
            guard name != "host" else { continue }
            result.add(name: name, value: text(field.value), indexing: indexings[name] ?? .indexable)
        }
        for value in headers[canonicalForm: "expect"] { result.add(name: "expect", value: String(value)) }
        // What the client may not send nobody may.
        return (try? HTTP2Head(result, limits: limits)).map(\.headers)
    }

    /// What HTTP/1 may not have behind a body nobody may: rules never see it, and servers may take it for a part of the head.
    static func check(trailers: HPACKHeaders, limits: ScanLimits, headerNames: [[UInt8]]) throws(Refusal) {
        var text = Array("0\r\n".utf8)
        for (name, value, _) in trailers {
            guard !name.utf8.isEmpty else { throw .fieldNameCharacter }
            try check(name, value)
            add(name, value, &text)
        }
        text += [0x0d, 0x0a]
        var scanner = BodyScanner(.chunked, limits: limits, headerNames: headerNames)
        var taken = 0
        while !scanner.isComplete {
            let count = try scanner.take(text.span.extracting(taken...))
            guard count > 0 else { throw .trailersTooLong }
            taken += count
        }
    }

    /// RFC 9113 8.2.1: lower case, and nothing that HTTP/1 reads as the end of a line.
    static func check(_ name: String, _ value: String) throws(Refusal) {
        for byte in name.utf8 {
            guard isName(byte) else { throw .fieldNameCharacter }
        }
        for byte in value.utf8 where byte < 0x20 && byte != 0x09 || byte == 0x7f { throw .controlCharacter }
        if let first = value.utf8.first, let last = value.utf8.last {
            for end in [first, last] where end == 0x20 || end == 0x09 { throw .obsoleteFold }
        }
    }

    /// A token's characters without capital letters.
    private static func isName(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
        default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
        }
    }

    private static func add(_ name: String, _ value: String, _ fields: inout [UInt8]) {
        fields += name.utf8
        fields += ": ".utf8
        fields += value.utf8
        fields += "\r\n".utf8
    }

    private static func isGRPC(_ type: String) -> Bool {
        let name = "application/grpc"
        guard type.hasPrefix(name) else { return false }
        guard let next = type.utf8.dropFirst(name.utf8.count).first else { return true }
        return next == UInt8(ascii: "+") || next == UInt8(ascii: ";")
    }

    /// The fields that stand for the request line and Host.
    private struct Pseudo {
        var method = ""
        var path = ""
        var scheme = ""
        var authority: String?
        var host: String?

        mutating func take(_ name: String, _ value: String) throws(Refusal) {
            // A byte that ends a part of the line would make another request of it.
            for byte in value.utf8 where byte <= 0x20 || byte == 0x7f { throw .targetCharacter }
            switch name {
            case ":method" where method.isEmpty: method = value
            case ":path" where path.isEmpty: path = value
            case ":scheme" where scheme.isEmpty: scheme = value
            case ":authority":
                guard authority == nil else { throw .hostTwice }
                authority = value
            default: throw .fieldNameCharacter
            }
        }

        func line() throws(Refusal) -> [UInt8] {
            guard scheme == "http" || scheme == "https" else { throw .targetForm }
            // Absolute forms belong to HTTP/1.
            guard path.utf8.first == UInt8(ascii: "/") || path == "*" else { throw .targetForm }
            if let authority, let host, authority != host { throw .authorityMismatch }
            guard let name = authority ?? host else { throw .hostMissing }
            return Array("\(method) \(path) HTTP/1.1\r\nhost: \(name)\r\n".utf8)
        }
    }
}
