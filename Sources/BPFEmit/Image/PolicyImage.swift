import CNetpoldABI
public import PolicyAPI
public import PolicyIR

/// One subject's policy of one direction, compiled: a program, its own `peers` map, and what each rule bit means.
///
/// Equal inputs give equal images on every machine.
public struct PolicyImage: Hashable, Sendable {
    /// The program. It reads and writes `skb->cb` as netpold_abi.h says.
    public var program: EncodedProgram
    /// 64-bit words of a `peers` value; 0 when nobody carries a bit by identity (then there is no map).
    public var words: Int
    /// Entries of the `peers` map, sorted by identity: which rule bits have the identity among their peers.
    public var peers: PeerTable
    /// The columns of names that carry bits, by number.
    public var columns: [NameColumn]
    /// The number of the numbering that they are of; 0: there is none.
    public var names: UInt32
    /// What each rule bit stands for; bit i is bit i % 64 of word i / 64. Several bits may stand for one rule (a named
    /// port with several numbers).
    public var bits: [RuleBit]
    /// The policies that isolate the subject; empty when it is not isolated.
    public var isolatedBy: [RuleOrigin]
    /// What the program can refuse. A subject may be isolated and allow everything, so this is not `isolatedBy`.
    public var strictness: PolicyStrictness
    /// Rules, or parts of them, that did not fit: what they would allow is not allowed.
    public var leftOut: [LeftOutRule]

    /// An image.
    public init(
        program: EncodedProgram, words: Int, peers: PeerTable, columns: [NameColumn] = [], names: UInt32 = 0,
        bits: [RuleBit], isolatedBy: [RuleOrigin], strictness: PolicyStrictness, leftOut: [LeftOutRule] = []
    ) {
        self.program = program
        self.words = words
        self.peers = peers
        self.columns = columns
        self.names = names
        self.bits = bits
        self.isolatedBy = isolatedBy
        self.strictness = strictness
        self.leftOut = leftOut
    }

    /// Whether no policy has a rule or isolates: the program allows whatever it is asked, by default.
    public var isOpen: Bool { bits.isEmpty && isolatedBy.isEmpty }

    /// Whether its answers depend on names, or what it admits on more than addresses and ports.
    public var asksMore: Bool { !columns.isEmpty || bits.contains(where: \.isL7) }

    /// Counters the program needs in np_rule_hits: default deny, default allow, host (`NP_HIT_*`), then one a bit.
    public var hitCount: Int { bits.count + Int(NP_HIT_FIRST_RULE) }
}

/// One entry of a `peers` map.
public struct PeerEntry: Hashable, Sendable {
    /// The remote's identity.
    public var identity: UInt32
    /// Its rule bits, least significant word first; never all zero.
    public var words: [UInt64]

    /// An entry.
    public init(identity: UInt32, words: [UInt64]) {
        self.identity = identity
        self.words = words
    }
}

/// What a rule bit stands for.
public struct RuleBit: Hashable, Sendable {
    /// Index in `SubjectPolicy.rules`.
    public var rule: Int
    /// The rule's action.
    public var action: RuleAction
    /// Whether the rule has L7 conditions.
    public var isL7: Bool
    /// These; `nil` where there are none, and with `isL7` where nothing satisfies them.
    public var l7: L7Match?
    /// Where the rule is written.
    public var origin: RuleOrigin
    /// Whether it is about TCP at each port at which it is about UDP.
    public var coversTCP: Bool

    /// A bit.
    public init(
        rule: Int, action: RuleAction, isL7: Bool, origin: RuleOrigin, l7: L7Match? = nil, coversTCP: Bool = false
    ) {
        self.rule = rule
        self.action = action
        self.isL7 = isL7
        self.origin = origin
        self.l7 = l7
        self.coversTCP = coversTCP
    }

    /// Whether its conditions are names of DNS queries.
    public var isDNS: Bool {
        if case .dns? = l7 { isL7 } else { false }
    }
}
