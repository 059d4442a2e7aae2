internal import CNetpoldABI
public import NetTypes

/// How DNS of local pods is dealt with.
public struct NameOptions: Hashable, Sendable {
    /// What a query gets whose name no rule allows.
    public enum Refusal: String, Hashable, CaseIterable, Sendable {
        /// REFUSED.
        case refused
        /// NXDOMAIN: musl's resolver goes on with the next search domain then.
        case nxdomain

        /// The RCODE (RFC 1035, 4.1.1).
        public var code: UInt32 {
            switch self {
            case .refused: 5
            case .nxdomain: 3
            }
        }
    }

    /// What a refused query gets.
    public var refusal: Refusal
    /// How long an address is one at least, seconds.
    public var leastTTL: UInt32
    /// Whether answers that cannot be read are dropped; else they pass and teach nothing.
    public var dropsInexact: Bool

    /// Link-local addresses that are learnt all the same, at most `mostRanges`: not those of pods, nodes and Services, nor netpold's own.
    public var linkLocalRanges: [IPPrefix]
    /// So many ranges of link-local addresses there may be.
    public static let mostRanges = Int(NP_MAX_NAME_RANGES)
    /// All link-local addresses.
    public static let linkLocal = [
        IPPrefix(IPAddress(ipv4: 0xa9fe_0000), length: 16), IPPrefix(IPAddress(high: 0xfe80 << 48, low: 0), length: 10),
    ].compactMap(\.self)

    /// Options.
    public init(
        refusal: Refusal = .refused, leastTTL: UInt32 = 0, dropsInexact: Bool = false, linkLocalRanges: [IPPrefix] = []
    ) {
        self.refusal = refusal
        self.leastTTL = leastTTL
        self.dropsInexact = dropsInexact
        self.linkLocalRanges = linkLocalRanges
    }
}

/// What a pod has of np_learnt.
public struct LearntUse: Hashable, Sendable {
    /// Addresses it has entries for.
    public var entries: Int
    /// Addresses that found no room.
    public var refused: UInt64
    /// Answers to its queries that taught nothing.
    public var unlearnt: UInt64

    /// A use.
    public init(entries: Int, refused: UInt64, unlearnt: UInt64) {
        self.entries = entries
        self.refused = refused
        self.unlearnt = unlearnt
    }
}
