public import NetTypes

/// Where probes ask: an address of the loopback interface and a port. Nobody outside the node, and no pod, reaches it.
public struct HealthAddress: Hashable, Sendable {
    /// 127.0.0.0/8 or ::1.
    public let address: IPAddress
    /// 1 to 65,535; 0 for any free one.
    public let port: UInt16

    /// Reads `127.0.0.1:9180` or `[::1]:9180`; `nil` for anything else, names and other addresses among it.
    public init?(parsing text: String) {
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]) else {
            return nil
        }
        let written = text[..<colon]
        let isBracketed = written.hasPrefix("[") && written.hasSuffix("]")
        guard let address = IPAddress(parsing: String(isBracketed ? written.dropFirst().dropLast() : written)) else {
            return nil
        }
        let isLoopback = address.ipv4.map { $0 >> 24 == 127 } ?? (address.high == 0 && address.low == 1)
        guard isLoopback, isBracketed == (address.ipv4 == nil) else { return nil }
        self.address = address
        self.port = port
    }
}
