import NetTypes

/// The prefixes that policies name: says which of them contain an address or a prefix.
///
/// One hash lookup for each distinct prefix length, however many prefixes there are.
struct PrefixTable: Sendable {
    /// The prefixes without repetition, IPv4 first, each family sorted: what lies inside a prefix are neighbours.
    let prefixes: [IPPrefix]
    private let indices: [IPPrefix: Int32]
    private let lengths: (ipv4: [Int], ipv6: [Int])

    /// A table of prefixes; repetitions are dropped.
    init(_ named: some Sequence<IPPrefix>) {
        let prefixes = Set(named).sorted(by: PrefixTable.precedes)
        self.prefixes = prefixes
        indices = Dictionary(
            uniqueKeysWithValues: zip(prefixes, (0..<prefixes.count).map { Int32(truncatingIfNeeded: $0) }))
        lengths = (
            Set(prefixes.lazy.filter(\.isIPv4).map(\.length)).sorted(),
            Set(prefixes.lazy.filter { !$0.isIPv4 }.map(\.length)).sorted()
        )
    }

    /// Whether no prefix is named.
    var isEmpty: Bool { prefixes.isEmpty }

    /// The index of a prefix, if it is one of the table's.
    func index(of prefix: IPPrefix) -> Int32? { indices[prefix] }

    /// The prefixes that contain an address, shortest first, as indices.
    func containing(_ address: IPAddress) -> [Int32] { containing(IPPrefix(host: address)) }

    /// The prefixes that contain a prefix (itself included), shortest first, as indices.
    func containing(_ inner: IPPrefix) -> [Int32] {
        var found: [Int32] = []
        for length in inner.isIPv4 ? lengths.ipv4 : lengths.ipv6 where length <= inner.length {
            // A shorter length than an address's own is always in range.
            if let outer = IPPrefix(inner.address, length: length), let index = indices[outer] { found.append(index) }
        }
        return found
    }

    /// The indices of the prefixes inside a prefix, itself included: they are neighbours in the order.
    func inside(_ outer: IPPrefix) -> Range<Int> {
        var low = 0
        var high = prefixes.count
        while low < high {
            let middle = (low + high) / 2
            if PrefixTable.precedes(prefixes[middle], outer) { low = middle + 1 } else { high = middle }
        }
        let start = low
        high = prefixes.count
        while low < high {
            let middle = (low + high) / 2
            if outer.contains(prefixes[middle]) { low = middle + 1 } else { high = middle }
        }
        return start..<low
    }

    /// IPv4 before IPv6: the mapped IPv4 space would otherwise lie in the middle of `::/0`.
    private static func precedes(_ left: IPPrefix, _ right: IPPrefix) -> Bool {
        left.isIPv4 == right.isIPv4 ? left < right : left.isIPv4
    }
}
