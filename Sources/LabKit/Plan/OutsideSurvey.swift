import NetTypes
import PolicyIR

/// Which addresses outside the cluster a lab plays: one for each combination of the prefixes that policies name, so every
/// prefix and every exception is tried from inside and from beside it.
struct OutsideSurvey {
    /// The most addresses of one lab; more prefixes than that are tried in part.
    static let limit = 24

    /// The addresses, sorted.
    var addresses: [LabOutside]
    /// What was left out, in words.
    var notes: [String] = []

    /// Chooses addresses that `taken` does not hold.
    init(policies: [LoweredPolicy], names: [IPAddress], nodes: [(String, IPAddress)], taken: Set<IPAddress>) {
        var prefixes: Set<IPPrefix> = []
        for rule in policies.flatMap({ ($0.ingress?.rules ?? []) + ($0.egress?.rules ?? []) }) {
            guard case .anyOf(let peers) = rule.peers else { continue }
            for case .addresses(let prefix, let except, _) in peers { prefixes.formUnion([prefix] + except) }
        }
        let sorted = prefixes.sorted()
        var seen: Set<Membership> = []
        var chosen: [LabOutside] = []
        func offer(_ address: IPAddress) -> Bool {
            guard !taken.contains(address), OutsideSurvey.isOrdinary(address) else { return false }
            let holders = sorted.filter { $0.contains(address) }
            guard seen.insert(Membership(isIPv4: address.isIPv4, holders: holders)).inserted else { return true }
            // The narrowest says it; wider ones are understood.
            let narrowest = holders.max { $0.mappedLength < $1.mappedLength }
            chosen.append(LabOutside(address: address, label: narrowest.map { "in \($0)" } ?? "in no prefix"))
            return true
        }
        for address in OutsideSurvey.strangers where offer(address) {}
        for prefix in sorted {
            _ = OutsideSurvey.candidates(prefix).first { candidate in
                // An address of a narrower prefix says nothing about this one.
                let narrower = sorted.contains { $0 != prefix && prefix.contains($0) && $0.contains(candidate) }
                return !narrower && offer(candidate)
            }
        }
        for address in names where !taken.contains(address) {
            chosen.append(LabOutside(address: address, label: "named by DNS"))
        }
        for (name, address) in nodes where !taken.contains(address) {
            chosen.append(LabOutside(address: address, label: "node \(name)"))
        }
        var unique: Set<IPAddress> = []
        chosen = chosen.filter { unique.insert($0.address).inserted }
        if chosen.count > OutsideSurvey.limit {
            notes.append(
                "\(chosen.count - OutsideSurvey.limit) of \(chosen.count) addresses outside the cluster are not probed")
        }
        addresses = chosen.prefix(OutsideSurvey.limit).sorted { $0.address < $1.address }
    }

    /// Everything policies can know of an address by prefixes.
    private struct Membership: Hashable {
        var isIPv4: Bool
        var holders: [IPPrefix]
    }

    /// Documentation and benchmark addresses for "the rest of the world", one a family unless a prefix holds them.
    private static let strangers: [IPAddress] = [
        IPAddress(ipv4: 0xc612_0001), IPAddress(high: 0x2001_0db8_ffff_0000, low: 1),
    ]

    /// A few addresses of a prefix, spread over it.
    private static func candidates(_ prefix: IPPrefix) -> [IPAddress] {
        let bits = 128 - prefix.mappedLength
        let first = prefix.address
        guard bits > 0 else { return [first] }
        var offsets: [UInt64] = [1, 7]
        for shift in stride(from: 2, to: min(bits, 32), by: 1) { offsets.append(UInt64(1) << UInt64(shift) | 1) }
        return offsets.map { IPAddress(high: first.high, low: first.low | $0) }.filter(prefix.contains) + [first]
    }

    /// Whether a host may use the address: not loopback, link-local, multicast, reserved or unspecified.
    private static func isOrdinary(_ address: IPAddress) -> Bool {
        if let number = address.ipv4 {
            let top = number >> 24
            return top != 0 && top != 127 && top < 224 && number >> 16 != 0xa9fe
        }
        return address.high >> 56 != 0xff && address.high >> 54 != 0x3fa && !(address.high == 0 && address.low <= 1)
    }
}
