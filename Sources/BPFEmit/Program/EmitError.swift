/// Why a policy cannot be compiled. The subject keeps the policy it had; a new one must not pass traffic.
public enum EmitError: Error, Hashable, Sendable {
    /// More rule bits than a `peers` value may hold.
    case tooManyRules(bits: Int, limit: Int)
    /// The host bit is not the one after the last rule bit.
    case misplacedHostBit(Int, expected: Int)
    /// `peers` is not sorted by identity, or names one twice.
    case unsortedPeers(identity: UInt32)
    /// An entry of `peers` has bits that the policy does not have.
    case strayPeerBits(identity: UInt32)
    /// Columns of names are not in ascending order below their limit, or have bits that the policy does not have.
    case misplacedColumn(Int)
    /// Bits with L7 conditions are of several words, or of a level whose objects have an order.
    case misplacedL7Bit(Int)
    /// No endpoint can have the slot.
    case endpointSlot(UInt32, limit: Int)
    /// The program cannot be assembled.
    case assembly(AssemblyError)
}

extension EmitError: CustomStringConvertible {
    /// One sentence with the limit it speaks of.
    public var description: String {
        switch self {
        case .tooManyRules(let bits, let limit):
            "the subject needs \(bits) rule bits in one direction, the limit is \(limit) (NP_MAX_RULE_WORDS words of 64); "
                + "merge policies or select fewer of them for these pods"
        case .misplacedHostBit(let bit, let expected):
            "the host bit is \(bit), but the first bit free behind the rules is \(expected)"
        case .unsortedPeers(let identity):
            "peers are not in strictly ascending order at identity \(identity)"
        case .strayPeerBits(let identity):
            "the peers entry of identity \(identity) has bits beyond the policy's last"
        case .misplacedColumn(let number):
            "column \(number) of names is out of order, or has bits beyond the policy's last"
        case .misplacedL7Bit(let number):
            "bit \(number) has L7 conditions and is not in the one word of such bits, or of a level whose objects have an order"
        case .endpointSlot(let slot, let limit):
            "endpoint slot \(slot) is beyond the limit of \(limit) (NP_MAX_ENDPOINTS)"
        case .assembly(let error):
            "the policy program cannot be assembled: \(error)"
        }
    }
}
