/// What the path of a request is about.
enum APITarget: Hashable, Sendable {
    /// `/readyz`, `/api`, `/apis/GROUP/VERSION`, ...: no resource.
    case other(path: String)
    /// A list or one object, of a resource that may not exist.
    case resource(
        group: String, version: String, name: String, namespace: String?, object: String?, subresource: String?)

    /// Reads a path without its query.
    init(path: String) {
        var parts = path.split(separator: "/", omittingEmptySubsequences: true).map { $0.removingPercents }
        let group: String
        let version: String
        switch parts.first {
        case "api" where parts.count > 2:
            group = ""
            version = parts[1]
            parts.removeFirst(2)
        case "apis" where parts.count > 3:
            group = parts[1]
            version = parts[2]
            parts.removeFirst(3)
        default:
            self = .other(path: path)
            return
        }
        // The old form of watches, /api/v1/watch/...
        if parts.first == "watch" { parts.removeFirst() }
        var namespace: String?
        if parts.count > 2, parts[0] == "namespaces", !["status", "finalize"].contains(parts[2]) {
            namespace = parts[1]
            parts.removeFirst(2)
        }
        guard let name = parts.first, parts.count <= 3 else {
            self = .other(path: path)
            return
        }
        self = .resource(
            group: group, version: version, name: name, namespace: namespace, object: parts.count > 1 ? parts[1] : nil,
            subresource: parts.count > 2 ? parts[2] : nil)
    }
}

extension StringProtocol {
    /// The text with its `%41` and `+` decoded.
    var removingPercents: String {
        var bytes: [UInt8] = []
        var rest = Array(utf8)[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%"), rest.count >= 2,
                let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
            {
                bytes.append(value)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte == UInt8(ascii: "+") ? UInt8(ascii: " ") : byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
