/// What a TLS client says first, as far as a server is chosen by it.
public struct ClientHello: Hashable, Sendable {
    /// The name of the server that the client wants, in lower case, without a final dot; `nil` when it names none. With an encrypted
    /// ClientHello it is the outer one.
    public let serverName: String?
    /// The bytes of the connection up to its end, the headers of records counted in.
    public let length: Int

    /// One that was found.
    public init(serverName: String?, length: Int) {
        self.serverName = serverName
        self.length = length
    }
}

/// What the first bytes of a connection are.
public enum HelloScan: Hashable, Sendable {
    /// They begin a ClientHello, and it goes on.
    case more
    /// They begin with a ClientHello.
    case hello(ClientHello)
    /// No ClientHello begins so, whatever follows.
    case refused(HelloRefusal)
}

/// Why bytes are no ClientHello.
public enum HelloRefusal: Error, Hashable, Sendable {
    /// A record that is none of a TLS handshake: plain text, SSL 2, an alert.
    case notHandshake
    /// An empty record, or one that is longer than 2^14 bytes.
    case recordLength
    /// Another message of the handshake.
    case notClientHello
    /// A ClientHello of no bytes, or of more than 2^14.
    case length
    /// A version that is none of TLS.
    case version
    /// Lengths that contradict each other, or a part that is empty and may not be.
    case structure
    /// More behind the ClientHello in its record.
    case excess
    /// A second list of server names.
    case secondName
    /// A list of names that is not one host name.
    case notHostName
    /// A host name that is none: of more than 253 bytes, or with a label that is empty or longer than 63.
    case hostName
}

extension ClientHello {
    /// Bytes of a ClientHello at most, without the headers of its message and its records.
    public static let maximumLength = 1 << 14
    /// Bytes of a record at most.
    public static let maximumRecord = 1 << 14
    /// Bytes of a host name at most: 255 as DNS sends it.
    public static let maximumName = 253
    /// Bytes of a label at most.
    public static let maximumLabel = 63

    /// Finds the ClientHello (RFC 8446 4.1.2, RFC 5246 7.4.1.2, RFC 6066 3) that a connection begins with.
    ///
    /// Strict, and the same as the kernel's np_hello: what is not exactly understood is refused, at the first byte that shows it.
    ///
    /// - Parameter bytes: the first bytes of the connection, in order.
    /// - Returns: what they are; the same for all that begin with them once it is not `more`.
    public static func scan(_ bytes: some Collection<UInt8>) -> HelloScan {
        var reader = RecordReader(bytes)
        do {
            return .hello(try reader.clientHello())
        } catch {
            switch error {
            case .more: return .more
            case .refused(let refusal): return .refused(refusal)
            }
        }
    }
}
