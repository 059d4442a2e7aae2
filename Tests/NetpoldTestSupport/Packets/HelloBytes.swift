import Foundation

/// ClientHellos as bytes: of real clients, and built.
public enum HelloBytes {
    /// What a real client sends first: a file of Tests/Hellos.
    public static func recorded(_ name: String) throws -> [UInt8] {
        let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../Hellos/\(name).hex")
        let digits = try String(contentsOf: file, encoding: .utf8).filter { !$0.isWhitespace }
        return stride(from: 0, to: digits.count, by: 2).compactMap { place in
            UInt8(digits.dropFirst(place).prefix(2), radix: 16)
        }
    }

    /// The names of the recorded ones.
    public static let names = ["openssl-tls13", "openssl-tls12", "openssl-tls1-upper", "openssl-no-name", "python-ssl"]

    /// A vector with a length of so many bytes before it.
    public static func vector(_ bytes: [UInt8], _ digits: Int) -> [UInt8] {
        (0..<digits).reversed().map { UInt8(truncatingIfNeeded: bytes.count >> (8 * $0)) } + bytes
    }

    /// An extension.
    public static func `extension`(_ type: UInt16, _ body: [UInt8]) -> [UInt8] { type.bigEndianBytes + vector(body, 2) }

    /// The extension server_name for one host name.
    public static func serverName(_ name: String) -> [UInt8] {
        `extension`(0, vector([0] + vector(Array(name.utf8), 2), 2))
    }

    /// A key share as X25519MLKEM768 has: 1,216 bytes.
    public static func postQuantumShare() -> [UInt8] {
        `extension`(51, vector([0x11, 0xec] + vector((0..<1216).map { UInt8(truncatingIfNeeded: $0 * 7) }, 2), 2))
    }

    /// The handshake message, its header included.
    public static func message(extensions: [[UInt8]]?, session: [UInt8] = [UInt8](repeating: 7, count: 32)) -> [UInt8] {
        let body =
            [3, 3] + (0..<32).map { UInt8($0) } + vector(session, 1)
            + vector([0x13, 0x01, 0x13, 0x02, 0xc0, 0x2f], 2) + vector([0], 1)
            + (extensions.map { vector($0.flatMap(\.self), 2) } ?? [])
        return [1] + vector(body, 3)
    }

    /// A message in records of so many bytes each; the last one, or one that is 0, takes the rest.
    public static func records(_ message: [UInt8], sizes: [Int] = []) -> [UInt8] {
        var rest = message[...]
        var result: [UInt8] = []
        for size in sizes + [0] where !rest.isEmpty {
            let part = size == 0 ? rest : rest.prefix(size)
            result += [22, 3, 1] + vector(Array(part), 2)
            rest = rest.dropFirst(part.count)
        }
        return result
    }

    /// A ClientHello for a name in one record; with a post-quantum key share before the name if wanted.
    public static func hello(_ name: String?, postQuantum: Bool = false) -> [UInt8] {
        var extensions = [`extension`(0x2a2a, []), `extension`(43, [2, 3, 4])]
        if postQuantum { extensions.append(postQuantumShare()) }
        if let name { extensions.append(serverName(name)) }
        extensions.append(`extension`(16, vector(vector(Array("h2".utf8), 1), 2)))
        return records(message(extensions: extensions))
    }
}
