/// An inclusive range of ports (or ICMP types), host order.
public struct PortRange: Hashable, Comparable, Sendable {
    /// First port.
    public let first: UInt16
    /// Last port, at least `first`.
    public let last: UInt16

    /// The ports `first...last`; `last` below `first` means `first` alone (as Cilium reads it, spec 7.3).
    public init(_ first: UInt16, _ last: UInt16) {
        self.first = first
        self.last = max(first, last)
    }

    /// One port.
    public init(_ port: UInt16) { self.init(port, port) }

    /// Every port, 0 included.
    public static let all = PortRange(0, .max)

    /// Whether the port lies in the range.
    public func contains(_ port: UInt16) -> Bool { first <= port && port <= last }

    /// By first, then last port.
    public static func < (left: PortRange, right: PortRange) -> Bool {
        left.first == right.first ? left.last < right.last : left.first < right.first
    }
}

extension PortRange: CustomStringConvertible {
    /// `80`, `80-90` or `all`.
    public var description: String {
        self == .all ? "all" : first == last ? "\(first)" : "\(first)-\(last)"
    }
}
