import NIOCore
import NIOSSL

/// Whose a server's certificate is: its subject alternative names.
///
/// swift-nio-ssl (2.37.6) takes a certificate for the address of the peer too, whatever name was asked for. Whoever has any certificate
/// of the authority for an address of its own, as kubelets do, and can bend DNS or the route would be the API server.
struct ServerNames {
    /// Names of DNS; the first part may be `*`.
    var dns: [String] = []
    /// IP addresses in network byte order.
    var addresses: [[UInt8]] = []

    /// Whether one of them is the name that was asked for, which may be an IP address.
    func include(_ name: String) -> Bool {
        if let address = HostName.address(name) { return addresses.contains(address) }
        return dns.contains { ServerNames.matches($0, name) }
    }

    /// As Go's client: `*` stands for the whole of the first part, and not for a name alone.
    private static func matches(_ pattern: String, _ name: String) -> Bool {
        guard (pattern + name).utf8.allSatisfy({ $0 < 0x80 }) else { return false }
        let given = HostName.labels(pattern.lowercased())
        let wanted = HostName.labels(name.lowercased())
        guard given.count == wanted.count, !(given + wanted).contains(where: \.isEmpty) else { return false }
        let isWild = given.count > 1 && given[0] == "*"
        return (isWild || given[0] == wanted[0]) && given.dropFirst() == wanted.dropFirst()
    }
}

extension ServerNames {
    /// The names in a certificate.
    init(_ certificate: NIOSSLCertificate) {
        for name in certificate._subjectAlternativeNames() {
            switch name.nameType {
            case .dnsName: dns.append(String(decoding: name.contents, as: UTF8.self))
            case .ipAddress: addresses.append(Array(name.contents))
            default: break
            }
        }
    }

    /// Closes a connection whose server has no certificate for this name, before anything is asked: after NIOSSL's own checks.
    static func verify(_ channel: any Channel, _ name: String) -> EventLoopFuture<Void> {
        let verified = channel.nioSSL_peerCertificate().flatMapThrowing { certificate in
            guard let certificate, ServerNames(certificate).include(name) else {
                throw NIOSSLExtraError.failedToValidateHostname
            }
        }
        verified.whenFailure { _ in channel.close(promise: nil) }
        return verified
    }
}
