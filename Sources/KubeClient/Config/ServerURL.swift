import Foundation

/// The address of an API server: `https://host:port/prefix`.
public struct ServerURL: Hashable, Sendable, CustomStringConvertible {
    /// Host name or IP address, without brackets.
    public let host: String
    /// Port.
    public let port: Int
    /// What precedes each path, without a slash at its end; most often empty.
    public let prefix: String

    /// `nil` when the text is no https URL with a host.
    public init?(_ text: String) {
        guard let parts = URLComponents(string: text), parts.scheme?.lowercased() == "https", let host = parts.host,
            !host.isEmpty, parts.user == nil, parts.query == nil, parts.fragment == nil
        else { return nil }
        self.host = ServerURL.bare(host)
        port = parts.port ?? 443
        guard HostName.isSound(self.host), (1...65_535).contains(port) else { return nil }
        var path = parts.percentEncodedPath
        while path.hasSuffix("/") { path.removeLast() }
        prefix = path
    }

    /// A host and port without prefix.
    public init(host: String, port: Int) {
        self.host = host
        self.port = port
        prefix = ""
    }

    /// The URL.
    public var description: String { "https://\(ServerURL.bracketed(host)):\(port)\(prefix)" }

    /// A host as a URL has it, without the brackets of IPv6 addresses.
    static func bare(_ host: String) -> String {
        host.hasPrefix("[") && host.hasSuffix("]") ? String(host.dropFirst().dropLast()) : host
    }

    /// IPv6 addresses stand in brackets in URLs.
    static func bracketed(_ host: String) -> String { host.contains(":") ? "[\(host)]" : host }
}
