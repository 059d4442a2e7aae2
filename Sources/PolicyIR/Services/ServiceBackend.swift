public import NetTypes

/// Where packets to a Service go: an endpoint's address and port.
public struct ServiceBackend: Hashable, Sendable {
    /// The endpoint's address.
    public var address: IPAddress
    /// Its port, which policies see.
    public var port: UInt16

    /// A backend.
    public init(address: IPAddress, port: UInt16) {
        self.address = address
        self.port = port
    }
}

extension ServiceBackend: Comparable, CustomStringConvertible {
    /// `10.0.0.1:80`, `[fd00::1]:80`.
    public var description: String { address.with(port: port) }

    /// By address, port.
    public static func < (left: ServiceBackend, right: ServiceBackend) -> Bool {
        left.address == right.address ? left.port < right.port : left.address < right.address
    }
}
