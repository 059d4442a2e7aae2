import NetTypes

/// Prefixes that somebody uses, counted: says which of them contain an address or a prefix.
///
/// One hash lookup for each distinct prefix length, however many prefixes there are. A prefix keeps its number when nobody
/// uses it any more, and gets it back when somebody does again.
struct PrefixTable: Sendable {
    /// The lengths in use of one family.
    private struct Lengths: Sendable {
        private var counts: [Int: Int] = [:]
        private(set) var used: [Int] = []

        mutating func add(_ length: Int) {
            counts[length, default: 0] += 1
            if counts[length] == 1 { used = counts.keys.sorted() }
        }

        mutating func remove(_ length: Int) {
            counts[length, default: 1] -= 1
            guard counts[length] == 0 else { return }
            counts[length] = nil
            used = counts.keys.sorted()
        }
    }

    /// By number, those that nobody uses any more included.
    private(set) var prefixes: [IPPrefix] = []
    private var uses: [Int32] = []
    private var numbers: [IPPrefix: Int32] = [:]
    private var ipv4 = Lengths()
    private var ipv6 = Lengths()
    /// The numbers in use, IPv4 first, each family sorted: what lies inside a prefix are neighbours. `nil`: nobody has asked
    /// for the order yet, so nobody keeps it.
    private var order: [Int32]?

    /// An empty table.
    init() {}

    /// How many prefixes somebody uses.
    private(set) var count = 0

    /// Whether nobody uses any.
    var isEmpty: Bool { count == 0 }

    /// Counts a use. Returns whether it is the only one.
    ///
    /// O(1); O(`count`) moves for a new prefix once `inside` has been asked.
    mutating func retain(_ prefix: IPPrefix) -> Bool {
        let number: Int32
        if let known = numbers[prefix] {
            number = known
        } else {
            number = Int32(truncatingIfNeeded: prefixes.count)
            numbers[prefix] = number
            prefixes.append(prefix)
            uses.append(0)
        }
        uses[Int(number)] += 1
        guard uses[Int(number)] == 1 else { return false }
        count += 1
        if prefix.isIPv4 { ipv4.add(prefix.length) } else { ipv6.add(prefix.length) }
        let place = place(of: prefix)
        order?.insert(number, at: place)
        return true
    }

    /// Counts a use off. Returns whether it was the last one.
    mutating func release(_ prefix: IPPrefix) -> Bool {
        guard let number = number(of: prefix) else { return false }
        uses[Int(number)] -= 1
        guard uses[Int(number)] == 0 else { return false }
        count -= 1
        if prefix.isIPv4 { ipv4.remove(prefix.length) } else { ipv6.remove(prefix.length) }
        let place = place(of: prefix)
        order?.remove(at: place)
        return true
    }

    /// The number of a prefix that somebody uses.
    func number(of prefix: IPPrefix) -> Int32? {
        guard let number = numbers[prefix], uses[Int(number)] > 0 else { return nil }
        return number
    }

    /// The number of a prefix that somebody uses or has used.
    func lastNumber(of prefix: IPPrefix) -> Int32? { numbers[prefix] }

    /// The prefixes in use that contain an address, shortest first, as numbers.
    func containing(_ address: IPAddress) -> [Int32] { containing(IPPrefix(host: address)) }

    /// The prefixes in use that contain a prefix (itself included), shortest first, as numbers.
    func containing(_ inner: IPPrefix) -> [Int32] {
        var found: [Int32] = []
        for length in inner.isIPv4 ? ipv4.used : ipv6.used where length <= inner.length {
            // A shorter length than an address's own is always in range.
            if let outer = IPPrefix(inner.address, length: length), let number = number(of: outer) {
                found.append(number)
            }
        }
        return found
    }

    /// The prefixes in use inside a prefix, itself included, as numbers.
    ///
    /// O(log `count`) and the answer; the first time all are sorted.
    mutating func inside(_ outer: IPPrefix) -> ArraySlice<Int32> {
        let order = order ?? sorted()
        self.order = order
        let start = place(of: outer)
        var low = start
        var high = order.count
        while low < high {
            let middle = (low + high) / 2
            if outer.contains(prefixes[Int(order[middle])]) { low = middle + 1 } else { high = middle }
        }
        return order[start..<low]
    }

    private func sorted() -> [Int32] {
        prefixes.indices.filter { uses[$0] > 0 }.map { Int32(truncatingIfNeeded: $0) }
            .sorted { PrefixTable.precedes(prefixes[Int($0)], prefixes[Int($1)]) }
    }

    /// Where a prefix stands in the order, or would.
    private func place(of prefix: IPPrefix) -> Int {
        guard let order else { return 0 }
        var low = 0
        var high = order.count
        while low < high {
            let middle = (low + high) / 2
            if PrefixTable.precedes(prefixes[Int(order[middle])], prefix) { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// IPv4 before IPv6: the mapped IPv4 space would otherwise lie in the middle of `::/0`.
    static func precedes(_ left: IPPrefix, _ right: IPPrefix) -> Bool {
        left.isIPv4 == right.isIPv4 ? left < right : left.isIPv4
    }
}
