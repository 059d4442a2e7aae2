/// One thing that the packet bench measures.
public struct PacketBenchCase: Hashable, Sendable {
    /// What becomes of the packets.
    public enum Kind: String, CaseIterable, Sendable {
        /// They belong to a flow that the pod has admitted.
        case established
        /// Each belongs to a flow not seen before, which policy allows and conntrack remembers.
        case new
        /// Policy denies each.
        case denied
    }

    /// Which flows they belong to.
    public enum Spread: String, CaseIterable, Sendable {
        /// One sender; of established packets one flow. Everything is in the CPU's caches.
        case hot
        /// Every sender there is, and of established packets 64k flows, in no order.
        case spread
    }

    /// What becomes of the packets.
    public var kind: Kind
    /// Rules of the policy.
    public var rules: Int
    /// Identities that the policy and the address table hold.
    public var identities: Int
    /// Whether somebody reads verdict events meanwhile.
    public var hasReader: Bool

    /// A case.
    public init(_ kind: Kind, rules: Int, identities: Int, hasReader: Bool = false) {
        self.kind = kind
        self.rules = rules
        self.identities = identities
        self.hasReader = hasReader
    }

    /// The whole grid, in the order it is printed.
    public static let all: [PacketBenchCase] = [
        (Kind.established, false), (.new, false), (.denied, false), (.new, true), (.denied, true),
    ]
    .flatMap { kind, reader in
        [1, 100, 1000].flatMap { rules in
            [100, 10_000, 100_000].map { PacketBenchCase(kind, rules: rules, identities: $0, hasReader: reader) }
        }
    }
}

extension PacketBenchCase: CustomStringConvertible {
    /// `new, 100 rules, 10000 identities, read`
    public var description: String {
        "\(kind.rawValue), \(rules) rules, \(identities) identities\(hasReader ? ", read" : "")"
    }
}
