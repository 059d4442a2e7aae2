/// The ranges that identity numbers are taken from.
public enum IdentityScope: Int, Hashable, CaseIterable, Sendable {
    /// Classes of pods: 256 and up.
    case pod
    /// Prefixes and names outside the cluster: 0x0100_0000 and up.
    case outside
    /// Other nodes that a NetworkPolicy prefix or a label tells apart: 0x0200_0000 and up.
    case node
    /// Addresses of the local node that one of them tells apart: 0x0300_0000 and up. The datapath knows its host by them.
    case host

    /// The scope's numbers. Equal to the `NP_IDENTITY_FIRST_*` of the datapath.
    public var numbers: Range<UInt32> {
        switch self {
        case .pod: 256..<0x0100_0000
        case .outside: 0x0100_0000..<0x0200_0000
        case .node: 0x0200_0000..<0x0300_0000
        case .host: 0x0300_0000..<0x0400_0000
        }
    }

    /// The scope that a number belongs to, `nil` for a reserved one.
    public init?(of number: UInt32) {
        guard let scope = IdentityScope.allCases.first(where: { $0.numbers.contains(number) }) else { return nil }
        self = scope
    }
}
