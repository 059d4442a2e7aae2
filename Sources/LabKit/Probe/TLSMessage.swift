/// The first message of a TLS handshake, and how a lab's server shows that it has arrived.
package enum TLSMessage {
    /// The content type of a handshake's records.
    static let handshake: UInt8 = 22
    /// A fatal alert, `handshake_failure`: a lab's server has no certificates. Whatever comes back from a server shows that the
    /// hello went through.
    static let alert: [UInt8] = [21, 3, 3, 0, 2, 2, 40]

    /// A ClientHello for TLS 1.2 and 1.3 with this server name; without one when it is empty.
    package static func clientHello(_ serverName: String) -> [UInt8] {
        let name = Array(serverName.utf8)
        let names = [0] + counted(name)
        var extensions = name.isEmpty ? [] : big(0) + counted(counted(names))
        extensions += big(43) + counted([4, 3, 4, 3, 3])  // supported_versions: 1.3, 1.2
        extensions += big(13) + counted(counted(big(0x0403) + big(0x0804)))  // signature_algorithms
        extensions += big(10) + counted(counted(big(29)))  // supported_groups: x25519
        extensions += big(51) + counted(counted(big(29) + counted([UInt8](repeating: 9, count: 32))))  // key_share
        var body: [UInt8] = [3, 3] + [UInt8](repeating: 7, count: 32) + [0]
        body += counted(big(0x1301) + big(0xc02b) + big(0xc02f)) + [1, 0] + counted(extensions)
        let message = [1, 0] + big(UInt16(body.count)) + body
        return [handshake, 3, 1] + counted(message)
    }

    private static func counted(_ bytes: [UInt8]) -> [UInt8] { big(UInt16(bytes.count)) + bytes }
    private static func big(_ value: UInt16) -> [UInt8] { [UInt8(value >> 8), UInt8(value & 0xff)] }
}
