import AsyncHTTPClient
import Glibc
import NIOCore
import NIOPosix
import NIOSSL

/// Says in words why there is no connection, with a remedy where there is one.
enum ConnectionTrouble {
    static func words(_ error: any Error) -> String {
        switch error {
        case let failure as NIOConnectionError: words(failure)
        case let failure as HTTPClientError: words(failure)
        case let failure as NIOSSLExtraError where failure == .failedToValidateHostname:
            "the API server's certificate is for other names; write tls-server-name: with one of them"
        case let failure as IOError: String(cString: strerror(failure.errnoCode))
        default: words("\(error)")
        }
    }

    private static func words(_ failure: NIOConnectionError) -> String {
        if let first = failure.connectionErrors.first {
            return "\(failure.host):\(failure.port): \(words(first.error))"
        }
        let name = failure.dnsAError ?? failure.dnsAAAAError
        return "\(failure.host): the name cannot be resolved\(name.map { ": \($0)" } ?? "")"
    }

    private static func words(_ failure: HTTPClientError) -> String {
        switch failure {
        case .connectTimeout: "no connection within 10 s"
        case .remoteConnectionClosed: "the API server closed the connection"
        case .tlsHandshakeTimeout: "the TLS handshake was not over within 10 s"
        case .cancelled: "given up"
        default: "\(failure.shortDescription)"
        }
    }

    private static func words(_ text: String) -> String {
        if text.contains("CERTIFICATE_VERIFY_FAILED") {
            return
                "the API server's certificate is not signed by the given authorities; check certificate-authority(-data)"
        }
        if text.contains("unable to validate hostname") || text.contains("failedToValidateHostname") {
            return "the API server's certificate is for other names; write tls-server-name: with one of them"
        }
        return String(text.prefix(300))
    }
}
