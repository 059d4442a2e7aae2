import Foundation
import PolicyAPI

/// What a credential plugin prints.
struct ExecCredential: Hashable, Sendable {
    /// A bearer token.
    var token: String?
    /// A client certificate, PEM.
    var certificate: [UInt8]?
    /// Its key, PEM.
    var key: [UInt8]?
    /// When they end; `nil` when they last as long as the agent, or until they are refused.
    var expires: Date?

    /// Reads the output of a plugin that was asked in `version`.
    ///
    /// - Throws: `RequestFailure.credentials`, which says nothing of the secrets in it.
    init(parsing bytes: [UInt8], version: String) throws(RequestFailure) {
        let document = DocumentReader.read(bytes, file: "exec.json").documents.first
        guard let document, document["kind"]?.string == "ExecCredential" else {
            throw .credentials("it printed no ExecCredential")
        }
        guard document["apiVersion"]?.string == version else {
            // Nothing that it printed is repeated: it may have put a secret in the wrong field.
            let printed = ExecPlugin.versions.first { $0 == document["apiVersion"]?.string }
            throw .credentials("it printed \(printed ?? "another apiVersion"), and was asked for \(version)")
        }
        guard let status = document["status"], status.members != nil else { throw .credentials("it printed no status") }
        token = status["token"]?.string.flatMap { $0.isEmpty ? nil : $0 }
        certificate = status["clientCertificateData"]?.string.map { Array($0.utf8) }
        key = status["clientKeyData"]?.string.map { Array($0.utf8) }
        if let token, !BearerToken.isSound(token) { throw .credentials("it printed a token that cannot be sent") }
        guard (certificate == nil) == (key == nil) else {
            throw .credentials("it printed only one of clientCertificateData and clientKeyData")
        }
        guard token != nil || certificate != nil else { throw .credentials("it printed neither token nor certificate") }
        guard let text = status["expirationTimestamp"]?.string else { return }
        guard let date = ExecCredential.date(text) else {
            throw .credentials("it printed an expirationTimestamp that is no RFC 3339 time")
        }
        expires = date
    }

    /// RFC 3339, with or without fractions of a second.
    private static func date(_ text: String) -> Date? {
        let whole = Date.ISO8601FormatStyle()
        let fractions = Date.ISO8601FormatStyle(includingFractionalSeconds: true)
        return (try? whole.parse(text)) ?? (try? fractions.parse(text))
    }
}
