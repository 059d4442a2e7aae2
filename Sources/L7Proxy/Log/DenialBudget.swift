internal import Glibc
internal import NIOCore

/// How many denied requests are told of in a second: however many one client makes, it takes few of those of others away.
struct DenialBudget {
    /// Clients are told apart by so many groups.
    static let groups = 64
    /// Of one group.
    static let ofGroup: UInt16 = 50
    /// Of all, on one event loop.
    static let ofAll = 1_000

    private var counts = [UInt16](repeating: 0, count: DenialBudget.groups)
    private var all = 0
    private var second = 0

    /// Whether one of a client may be told of in this second.
    mutating func admits(_ client: SocketAddress, second now: Int) -> Bool {
        if now != second {
            second = now
            all = 0
            for group in counts.indices { counts[group] = 0 }
        }
        let group = DenialBudget.group(of: client)
        guard all < DenialBudget.ofAll, counts[group] < DenialBudget.ofGroup else { return false }
        all += 1
        counts[group] += 1
        return true
    }

    private static func group(of client: SocketAddress) -> Int {
        var folded: UInt64 = 0
        switch client {
        case .v4(let address): folded = UInt64(address.address.sin_addr.s_addr)
        case .v6(let address):
            withUnsafeBytes(of: address.address.sin6_addr) { bytes in
                folded = bytes.loadUnaligned(as: UInt64.self) ^ bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self)
            }
        case .unixDomainSocket: break
        }
        return Int((folded &* 0x9e37_79b9_7f4a_7c15) >> 58)
    }
}
