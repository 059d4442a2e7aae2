import NIOSSL

/// Makes TLS configurations of PEM texts. The server is always verified, its name included: here, and by `ServerNames` once more.
enum TLSMaterial {
    static func configuration(_ material: ConnectionMaterial) throws(RequestFailure) -> TLSConfiguration {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.minimumTLSVersion = .tlsv12
        configuration.certificateVerification = .fullVerification
        if let pem = material.authorities {
            configuration.trustRoots = .certificates(try certificates(pem, "certificate-authority"))
        }
        if let certificate = material.certificate, let key = material.key {
            configuration.certificateChain = try certificates(certificate, "client-certificate").map {
                .certificate($0)
            }
            do {
                configuration.privateKey = .privateKey(try NIOSSLPrivateKey(bytes: key, format: .pem))
            } catch {
                throw .credentials("client-key is no private key in PEM")
            }
        }
        return configuration
    }

    private static func certificates(_ pem: [UInt8], _ name: String) throws(RequestFailure) -> [NIOSSLCertificate] {
        let found = try? NIOSSLCertificate.fromPEMBytes(pem)
        guard let found, !found.isEmpty else { throw .credentials("\(name) holds no certificate in PEM") }
        return found
    }
}
