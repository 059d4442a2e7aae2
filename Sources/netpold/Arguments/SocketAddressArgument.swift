import ArgumentParser
import NIOCore
import NetTypes

/// An address and port as an argument: `127.0.0.1:8080` or `[::1]:8080`. Names are not looked up: a proxy that follows a name's
/// changes would not be where the user thinks it is.
struct SocketAddressArgument: ExpressibleByArgument {
    let address: SocketAddress
    let port: UInt16

    init?(argument text: String) {
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]) else {
            return nil
        }
        let written = text[..<colon]
        let isBracketed = written.hasPrefix("[") && written.hasSuffix("]")
        let host = String(isBracketed ? written.dropFirst().dropLast() : written)
        guard let parsed = IPAddress(parsing: host), isBracketed == (parsed.ipv4 == nil),
            let address = try? SocketAddress(ipAddress: host, port: Int(port))
        else { return nil }
        self.address = address
        self.port = port
    }
}
